"""TLS on listeners: who gets in, with which protocol, what a reload of the files does, and what the
daemon says to those who do not speak TLS."""

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import threading
import unittest

from daemon_test_case import DaemonTestCase, main
import certificates
from flag_documents import answering, encoded, flags

ASK = "/ofrep/v1/evaluate/flags/answer"
PATIENCE = 30
IN_USE = "TLS certificate .* is the one for new connections"
ALL = "/ofrep/v1/evaluate/flags"
EVENTS = "/ofrep/v1/sse"
GET = (f"POST {ASK} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
       "Content-Length: 14\r\n\r\n{\"context\":{}}").encode()


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


@unittest.skipUnless(certificates.available(), "needs the openssl command line")
class TlsListener(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.write("flags.json", answering("secure"))
        self.make("server")

    # Certificates and daemons.

    def make(self, name, days=2):
        certificates.make(self.folder, name, days=days)
        return self.path(f"{name}.crt"), self.path(f"{name}.key")

    def issue(self, name, issuer):
        """A certificate signed by another one's key."""
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", self.path(f"{name}.key"), "-out", self.path(f"{name}.crt"),
                "-CA", self.path(f"{issuer}.crt"), "-CAkey", self.path(f"{issuer}.key"),
                "-days", "2", "-subj", f"/CN={name}")
        return self.path(f"{name}.crt"), self.path(f"{name}.key")

    def serve(self, *options, certificate="server", **more):
        return self.start("file:flags.json", listen=("tls:127.0.0.1:0",), options=[
            "--tls-certificate-file", self.path(f"{certificate}.crt"),
            "--tls-key-file", self.path(f"{certificate}.key"), *options], **more)

    def trusting(self, name="server", shown=None, protocols=("http/1.1",)):
        context = ssl.create_default_context(cafile=self.path(f"{name}.crt"))
        if protocols:
            context.set_alpn_protocols(list(protocols))
        if shown:
            context.load_cert_chain(*shown)
        return context

    def port(self, daemon):
        self.assertTrue(daemon.listeners[0].startswith("tls:127.0.0.1:"), daemon.listeners)
        return int(daemon.listeners[0].rsplit(":", 1)[1])

    def plain(self, daemon):
        return socket.create_connection(("127.0.0.1", self.port(daemon)), timeout=PATIENCE)

    def connect(self, daemon, context):
        return context.wrap_socket(self.plain(daemon), server_hostname="127.0.0.1",
                                   suppress_ragged_eofs=False)

    def ask(self, connection):
        """One request on a connection that may stay open; returns its body."""
        connection.sendall(GET)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        body = answer.read()
        self.assertEqual(answer.status, 200, body)
        return body

    def shown_certificate(self, daemon, trusted):
        with self.connect(daemon, self.trusting(trusted)) as connection:
            return connection.getpeercert(binary_form=True)

    def failures(self, daemon):
        return daemon.metric("flagstone_tls_handshake_failures_total")

    # Who gets in.

    def test_protocols_and_versions(self):
        daemon = self.serve()
        for offered, agreed in ((("h2", "http/1.1"), "h2"), (("http/1.1", "h2"), "h2"),
                                (("http/1.1",), "http/1.1"), ((), None)):
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = self.trusting(protocols=offered)
                context.minimum_version = context.maximum_version = version
                with self.subTest(offered=offered, version=version), \
                        self.connect(daemon, context) as connection:
                    self.assertEqual(connection.selected_alpn_protocol(), agreed)
                    if agreed != "h2":
                        self.assertIn(b"secure", self.ask(connection))
                        self.assertIn(b"secure", self.ask(connection), "the connection is kept")
        self.assertEqual(self.failures(daemon), 0)

    def test_old_versions_and_strange_protocols_are_refused(self):
        daemon = self.serve()
        old = self.trusting()
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        refused = {"TLS 1.1": old, "spdy": self.trusting(protocols=("spdy/3",))}
        for name, context in refused.items():
            with self.subTest(name), self.assertRaises((ssl.SSLError, ConnectionError)):
                self.connect(daemon, context).close()
        self.eventually(lambda: self.failures(daemon) == 2, "two failures")
        self.assertEqual([line for line in daemon.log if "handshake" in line.lower()], [],
                         "failures are counted, not logged")

    def curl(self, daemon, path, *options):
        done = subprocess.run(
            ["curl", "-sS", "--cacert", self.path("server.crt"), "-w",
             " %{http_version} %{http_code}", "--data", '{"context":{}}', "-H",
             "Content-Type: application/json", *options,
             f"https://127.0.0.1:{self.port(daemon)}{path}"],
            capture_output=True, timeout=PATIENCE, check=False)
        return done.stdout.decode() + done.stderr.decode()

    @unittest.skipUnless(shutil.which("curl"), "needs curl")
    def test_curl(self):
        daemon = self.serve()
        for option, version in (("--http1.1", "1.1"), ("--http2", "2")):
            with self.subTest(option):
                self.assertRegex(self.curl(daemon, ASK, option), f'"secure".* {version} 200$')

    @unittest.skipUnless(shutil.which("curl"), "needs curl")
    def test_large_answers(self):
        self.write("flags.json", encoded(flags({f"flag-{n}": "x" * 500 for n in range(8000)})))
        daemon = self.serve()
        for option, version in (("--http1.1", "1.1"), ("--http2", "2")):
            with self.subTest(option):
                said = self.curl(daemon, ALL, option)
                self.assertTrue(said.endswith(f" {version} 200"), said[-100:])
                self.assertEqual(said.count('"key":"flag-'), 8000)

    def test_client_certificates(self):
        self.make("ca")
        self.make("other_ca")
        good = self.issue("good", "ca")
        strange = self.issue("strange", "other_ca")
        daemon = self.serve("--tls-client-ca-file", self.path("ca.crt"))
        with self.connect(daemon, self.trusting(shown=good)) as connection:
            self.assertIn(b"secure", self.ask(connection))
        for name, shown in (("none", None), ("strange", strange)):
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = self.trusting(shown=shown)
                context.minimum_version = context.maximum_version = version
                with self.subTest(name, version=version):
                    with self.assertRaises((ssl.SSLError, ConnectionError)):
                        # TLS 1.3's client learns it with the first answer.
                        with self.connect(daemon, context) as connection:
                            self.ask(connection)
        self.eventually(lambda: self.failures(daemon) == 4, "four failures")

    # Who does not speak TLS, or not to the end.

    def test_plain_http_is_told_so(self):
        daemon = self.serve()
        with self.plain(daemon) as connection:
            connection.sendall(GET)
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
        self.assertTrue(received.startswith(b"HTTP/1.1 400 "), received)
        self.assertIn(b"TLS", received)

    def client_hello(self):
        sent = ssl.MemoryBIO()
        client = self.trusting().wrap_bio(ssl.MemoryBIO(), sent, server_hostname="127.0.0.1")
        with self.assertRaises(ssl.SSLWantReadError):
            client.do_handshake()
        return sent.read()

    def test_handshakes_that_stop_anywhere(self):
        daemon = self.serve()
        hello = self.client_hello()
        daemon.await_log(IN_USE)  # Until then its own files are being opened.
        self.eventually(lambda: daemon.metric("flagstone_connections") == 0, "quiet")
        files = daemon.open_files()
        for cut in range(1, len(hello) + 1):
            with self.plain(daemon) as connection:
                connection.sendall(hello[:cut])
        self.eventually(lambda: self.failures(daemon) == len(hello), "each to be counted")
        self.eventually(lambda: daemon.open_files() <= files + 1, "their descriptors back")
        with self.connect(daemon, self.trusting()) as connection:
            self.assertIn(b"secure", self.ask(connection))

    def test_handshakes_in_two_pieces(self):
        daemon = self.serve()
        hello = self.client_hello()
        for cut in range(1, len(hello), 29):
            received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
            client = self.trusting().wrap_bio(received, sent, server_hostname="127.0.0.1")
            with self.plain(daemon) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while True:
                    try:
                        client.do_handshake()
                        break
                    except ssl.SSLWantReadError:
                        pieces = sent.read()
                        connection.sendall(pieces[:cut])
                        connection.sendall(pieces[cut:])
                        received.write(connection.recv(65536))
                client.write(GET)
                connection.sendall(sent.read())
                self.assertTrue(connection.recv(65536), "an answer")
        self.assertEqual(self.failures(daemon), 0)

    def test_garbage(self):
        daemon = self.serve()
        hello = self.client_hello()
        rows = [os.urandom(4096) for _ in range(20)]
        rows += [b"\x16" * 65536, b"\x00" * 100, b"\x16\x03\x01\xff\xff" + b"x" * 70000,
                 hello[:50] + os.urandom(500), hello + hello, hello[:5] + b"\x00" * 512]
        # A first byte that is a letter is taken for HTTP, which is answered as such.
        for row in rows:
            with self.plain(daemon) as connection:
                try:
                    connection.sendall(row)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass
                except ConnectionError:
                    pass
        self.eventually(lambda: self.failures(daemon) == len(rows), "each to be counted")
        with self.connect(daemon, self.trusting()) as connection:
            self.assertIn(b"secure", self.ask(connection))

    def test_a_silent_peer_is_cut_as_one_with_half_a_header_is(self):
        daemon = self.serve()
        with self.plain(daemon) as connection:
            connection.sendall(self.client_hello()[:100])
            connection.settimeout(PATIENCE)
            self.assertEqual(connection.recv(100), b"")
        self.assertEqual(daemon.metric("flagstone_connection_timeouts_total"), 1)

    # Streams, and the end.

    def test_events_come_through(self):
        daemon = self.serve()
        with self.connect(daemon, self.trusting()) as connection:
            connection.sendall(f"GET {EVENTS} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            events = http.client.HTTPResponse(connection)
            events.begin()
            self.assertEqual(events.status, 200)
            for version in ("second", "third"):
                self.write("flags.json", answering(version))
                while b"refetchEvaluation" not in events.readline():
                    pass

    @unittest.skipUnless(shutil.which("curl"), "needs curl")
    def test_events_come_through_http2(self):
        daemon = self.serve()
        reader = subprocess.Popen(
            ["curl", "-sSN", "--http2", "--max-time", str(PATIENCE), "--cacert",
             self.path("server.crt"), "-D", "-", f"https://127.0.0.1:{self.port(daemon)}{EVENTS}"],
            stdout=subprocess.PIPE)
        self.addCleanup(reader.wait)
        self.addCleanup(reader.stdout.close)
        self.addCleanup(reader.kill)
        self.assertEqual(reader.stdout.readline().strip(), b"HTTP/2 200")
        for version in ("second", "third"):
            self.write("flags.json", answering(version))
            for line in reader.stdout:
                if b"refetchEvaluation" in line:
                    break
            else:
                self.fail("the stream ended")

    def test_shutdown_says_goodbye_to_idle_peers(self):
        daemon = self.serve()
        with self.connect(daemon, self.trusting()) as connection:
            self.ask(connection)
            stopped = threading.Thread(target=daemon.stop)
            stopped.start()
            # Raises when the end comes without close_notify.
            self.assertEqual(connection.recv(100), b"")
            stopped.join()

    def test_a_slow_reader_gets_everything(self):
        values = {f"flag-{number:05d}": "x" * 500 for number in range(8000)}
        self.write("flags.json", encoded(flags(values)))
        daemon = self.serve()
        request = (b"POST /ofrep/v1/evaluate/flags HTTP/1.1\r\nHost: localhost\r\n"
                   b"Content-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"context\":{}}")
        with self.connect(daemon, self.trusting()) as connection:
            connection.sendall(request * 3)
            for _ in range(3):
                answer = http.client.HTTPResponse(connection)
                answer.begin()
                self.assertEqual(answer.read().count(b'"key":"flag-'), 8000)

    # The files.

    def test_a_new_certificate_is_for_new_connections(self):
        old_certificate, old_key = self.make("current", days=5)
        daemon = self.serve(certificate="current")
        daemon.await_log(IN_USE)
        lines = len(daemon.log)
        shutil.copy(old_certificate, self.path("old.crt"))
        first_expiry = daemon.metric("flagstone_tls_certificate_expiry_timestamp_seconds")
        with self.connect(daemon, self.trusting("old")) as kept:
            self.ask(kept)
            self.make("next", days=9)
            for end in ("crt", "key"):
                with open(self.path(f"next.{end}"), "rb") as new:
                    self.write(f"current.{end}", new.read())
            daemon.await_log(IN_USE, since=lines)
            self.eventually(lambda: self.shown_certificate(daemon, "next"), "the new one")
            self.assertIn(b"secure", self.ask(kept), "the old connection goes on")
        expiry = daemon.metric("flagstone_tls_certificate_expiry_timestamp_seconds")
        self.assertEqual(round((expiry - first_expiry) / 86400), 4)
        self.assertEqual(daemon.metric("flagstone_tls_reload_failures_total"), 0)

    def test_bad_new_files_leave_the_old_ones_in_use(self):
        self.make("current")
        daemon = self.serve(certificate="current")
        daemon.await_log(IN_USE)
        shutil.copy(self.path("current.crt"), self.path("trusted.crt"))
        good_key = open(self.path("current.key"), "rb").read()
        in_use = self.shown_certificate(daemon, "trusted")
        for name, content, says in (("current.key", b"nonsense", "no private key"),
                                    ("current.key", open(self.make("other")[1], "rb").read(),
                                     "does not belong"),
                                    ("current.crt", b"none", "no certificate")):
            before = daemon.metric("flagstone_tls_reload_failures_total")
            lines = len(daemon.log)
            self.write(name, content)
            daemon.await_log(f"{says}.*stays", since=lines)
            self.assertGreater(daemon.metric("flagstone_tls_reload_failures_total"), before)
            self.assertEqual(self.shown_certificate(daemon, "trusted"), in_use)
        os.remove(self.path("current.key"))
        daemon.await_log(r"current\.key.*stays")
        lines = len(daemon.log)
        self.write("current.key", good_key)
        self.write("current.crt", open(self.path("trusted.crt"), "rb").read())
        daemon.await_log(IN_USE, since=lines)
        self.assertEqual(self.shown_certificate(daemon, "trusted"), in_use)
        self.assert_no_key_in_log(daemon, good_key)

    def assert_no_key_in_log(self, daemon, key):
        for line in key.decode().splitlines():
            if "-----" not in line:
                self.assertNotIn(line, "\n".join(daemon.log))

    def test_the_start_fails_with_the_file_and_the_remedy(self):
        certificate, key = self.make("good")
        _, other_key = self.make("other")
        encrypted = self.path("encrypted.key")
        openssl("pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", encrypted)
        rows = (
            ([], 64, "tls:127.0.0.1:0` needs a certificate"),
            (["-c", certificate], 64, "a certificate and its key belong together"),
            (["-c", self.path("none.crt"), "-k", key], 69, "none.crt: No such file"),
            (["-c", certificate, "-k", self.folder], 69, "TLS key"),
            (["-c", key, "-k", key], 65, "good.key: no certificate in PEM"),
            (["-c", certificate, "-k", other_key], 65, "other.key: it does not belong"),
            (["-c", certificate, "-k", encrypted], 65, "openssl pkey -in"),
            (["-c", certificate, "-k", key, "--tls-client-ca-file", key], 65, "TLS client CA"),
        )
        for options, code, says in rows:
            with self.subTest(says):
                daemon = self.start("file:flags.json", listen=("tls:127.0.0.1:0",),
                                    options=options, wait=None)
                self.assertEqual(daemon.wait(), code, daemon.describe())
                self.assertIn(says, "\n".join(daemon.log))
                with open(key, "rb") as text:
                    self.assert_no_key_in_log(daemon, text.read())


if __name__ == "__main__":
    main()
