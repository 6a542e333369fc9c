"""SyncFlags as a source, over TLS and with a client's certificate; the other side is a Flagstone.
What a scripted, hostile server does is in tests/upstream."""

import unittest

from daemon_test_case import DaemonTestCase, main
import certificates
from flag_documents import answering


@unittest.skipUnless(certificates.available(), "needs the openssl command")
class OverTls(DaemonTestCase):
    def test_roots_and_client_certificate(self):
        server, _ = certificates.make(self.folder, "server")
        client, _ = certificates.make(self.folder, "client")
        hub = self.start_with({
            "listen": ["tls:127.0.0.1:0"],
            "state": {"dir": self.path("hub")},
            "tls": {"certificate_file": server, "key_file": self.path("server.key"),
                    "client_ca_file": client},
            **self.one_source("file:" + self.write("flags.json", answering("v1")))},
            name="hub.json")
        uri = "grpcs://" + hub.tcp_address.removeprefix("tls:")
        shown = {"client_certificate_file": client, "client_key_file": self.path("client.key")}

        pod = self.start_with(self.one_source(uri, ca_file=server, **shown), name="pod.json")
        pod.await_value("v1")
        self.write("flags.json", answering("v2"))
        pod.await_value("v2")

        stranger = self.start_with(
            {**self.one_source(uri, **shown), "state": {"dir": self.path("stranger")}},
            name="stranger.json", wait="bound")
        stranger.await_failure("tls")


if __name__ == "__main__":
    main()
