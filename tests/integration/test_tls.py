"""Upstream over TLS: verified by default, and every reason not to trust it keeps the old state."""

import ssl
import unittest

from daemon_test_case import POLL_INTERVAL, DaemonTestCase, main
import certificates
from behaviours import document
from flag_documents import answering


@unittest.skipUnless(certificates.available(), "needs the openssl command line")
class Tls(DaemonTestCase):
    def vendor(self, name, **certificate):
        file, context = certificates.make(self.folder, name, **certificate)
        return file, self.upstream(document(answering(name), f'"{name}"'), tls_context=context)

    def test_a_trusted_certificate(self):
        trusted, fake = self.vendor("trusted")
        daemon = self.start(fake.uri(), environment={"SSL_CERT_FILE": trusted})
        self.assertEqual(daemon.ofrep().value(), "trusted")

    def test_every_untrusted_certificate(self):
        trusted, good = self.vendor("good")
        _, stranger = self.vendor("stranger")
        _, misnamed = self.vendor("misnamed", subject_alt_name="DNS:other.example")
        _, old = self.vendor("old")
        old._tls_context.maximum_version = ssl.TLSVersion.TLSv1_1
        fakes = {"stranger": stranger, "misnamed": misnamed, "old": old}
        # All certificates but the stranger's are trusted as such.
        bundle = "".join(open(self.path(f"{name}.crt"), encoding="ascii").read()
                         for name in ("good", "misnamed", "old"))
        environments = {name: {"optional": True, "sources": [
            {"uri": fake.uri(), "interval": POLL_INTERVAL}]} for name, fake in fakes.items()}
        environments["default"] = {"sources": [{"uri": good.uri()}]}
        daemon = self.start_with({"environments": environments}, environment={
            "SSL_CERT_FILE": self.write("bundle.crt", bundle)})
        self.assertEqual(daemon.ofrep().value(), "good")
        for name, fake in fakes.items():
            with self.subTest(name):
                daemon.await_failure("tls", environment=name)
                self.assertEqual(fake.requests, [], "nothing may be asked before the handshake")

    def test_a_certificate_that_changes_for_a_strange_one(self):
        trusted, fake = self.vendor("trusted")
        daemon = self.start(fake.uri(), environment={"SSL_CERT_FILE": trusted})
        _, fake._tls_context = certificates.make(self.folder, "strange")
        fake.serve(document(answering("forged"), '"forged"'))
        fake.die()
        fake.revive()
        daemon.await_failure("tls")
        self.assertEqual(daemon.ofrep().value(), "trusted")


if __name__ == "__main__":
    main()
