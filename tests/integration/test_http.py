"""OFREP as HTTP: statuses, error bodies, limits, Host and Origin rules, and that nothing a client
sends can forge a log line."""

import socket

from daemon_test_case import DaemonTestCase, main
from flag_documents import encoded, flags

ONE = "/ofrep/v1/evaluate/flags/answer"
BULK = "/ofrep/v1/evaluate/flags"
JSON = {"Content-Type": "application/json"}


class Http(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.write("flags.json", encoded(flags({"answer": "yes", "spaced key/ü": "odd"})))
        self.socket = self.path("f.sock")
        self.daemon = self.start("file:flags.json",
                                 listen=("127.0.0.1:0", f"unix:{self.socket}"))
        self.client = self.daemon.ofrep()

    def raw(self, request, address=None):
        """Sends bytes and reads until the daemon closes; for what http.client would not send."""
        if address is None:
            host, port = self.daemon.tcp_address.rsplit(":", 1)
            connection = socket.create_connection((host, int(port)), timeout=30)
        else:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(30)
            connection.connect(address)
        with connection:
            try:
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # Closed by the daemon while we were still sending: it has answered.
            received = b""
            try:
                while chunk := connection.recv(65536):
                    received += chunk
            except ConnectionResetError:
                pass
        return received

    def test_a_single_evaluation(self):
        answer = self.client.evaluate("answer")
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.header("Content-Type").startswith("application/json"))
        self.assertEqual(answer.json, {"key": "answer", "reason": "STATIC", "value": "yes",
                                       "variant": "on", "metadata": {}})

    def test_the_unix_socket_answers_the_same(self):
        there = self.daemon.unix(self.socket).evaluate("answer")
        self.assertEqual(there.json, self.client.evaluate("answer").json)

    def test_an_escaped_key_is_unescaped(self):
        answer = self.client.post("/ofrep/v1/evaluate/flags/spaced%20key%2F%C3%BC", {"context": {}})
        self.assertEqual((answer.status, answer.json.get("value")), (200, "odd"), answer)
        self.assertEqual(answer.json["key"], "spaced key/ü")

    def test_an_unknown_flag(self):
        answer = self.client.evaluate("nobody")
        self.assertEqual(answer.status, 404)
        self.assertEqual(answer.json["key"], "nobody")
        self.assertEqual(answer.error_code, "FLAG_NOT_FOUND")
        self.assertIn("nobody", answer.json["errorDetails"])

    def test_bodies(self):
        table = [
            (b"", 200), (b"{}", 200), (b'{"context":{}}', 200),
            (b'{"context":{"targetingKey":"u","a":[1,{"b":null}]}}', 200),
            (b'{"context":null}', None),
            (b"{", 400), (b"[]", 400), (b'"context"', 400), (b'{"context":[]}', 400),
            (b'{"context":"x"}', 400), (b'{"context":{}} x', 400), (b'{"context":{"a":}}', 400),
            (b"\xff\xfe", 400), (b'{"context":{"a":"\xff"}}', 400),
            (b'{"context":' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}", 400),
        ]
        for body, status in table:
            for url in (ONE, BULK):
                with self.subTest(body=body[:60], url=url):
                    answer = self.client.post(url, body)
                    if status is None:
                        self.assertIn(answer.status, (200, 400), answer)
                    else:
                        self.assertEqual(answer.status, status, answer)
                    if answer.status == 400:
                        self.assertIn(answer.error_code, ("INVALID_CONTEXT", "PARSE_ERROR"))
                        if url == ONE:
                            self.assertEqual(answer.json["key"], "answer")

    def test_bulk_with_and_without_a_trailing_slash(self):
        for url in (BULK, BULK + "/"):
            answer = self.client.post(url, {"context": {}})
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual({item["key"] for item in answer.json["flags"]},
                             {"answer", "spaced key/ü"})

    def test_bulk_of_an_empty_set(self):
        self.write("flags.json", b'{"flags":{}}')
        self.eventually(lambda: self.client.bulk().json.get("flags") == [], "an empty list")
        self.assertEqual(self.client.bulk().status, 200)
        self.assertEqual(self.client.evaluate("answer").status, 404)

    def test_wrong_methods_name_the_right_ones(self):
        for url, allowed in ((ONE, "POST"), (BULK, "POST"), ("/ofrep/v1/sse", "GET")):
            for method in ("GET", "PUT", "DELETE", "PATCH", "POST"):
                if method == allowed:
                    continue
                with self.subTest(url=url, method=method):
                    answer = self.client.request(method, url, None, JSON)
                    self.assertEqual(answer.status, 405, answer)
                    self.assertIn(allowed, answer.header("Allow"))

    def test_unknown_paths(self):
        for path in ("/", "/ofrep", "/ofrep/v2/evaluate/flags/x", "/ofrep/v1/evaluate/flags/a/b",
                     "/metrics", "/accept/default"):
            with self.subTest(path=path):
                self.assertEqual(self.client.post(path, {}).status, 404)
        # The admin's is not served here, and LaunchDarkly's where it has no environment neither.
        self.assertEqual(self.client.get("/status").status, 404)

    def test_content_types(self):
        for content_type, status in (
                ("application/json", 200), ("application/json; charset=utf-8", 200),
                ("Application/JSON", 200), ("text/plain", 415),
                ("application/x-www-form-urlencoded", 415), ("application/jsonp", 415),
                ("multipart/form-data; boundary=x", 415)):
            with self.subTest(content_type=content_type):
                answer = self.client.request("POST", ONE, b'{"context":{}}',
                                             {"Content-Type": content_type})
                self.assertEqual(answer.status, status, answer)

    def test_foreign_hosts_and_origins(self):
        port = self.daemon.tcp_address.rsplit(":", 1)[1]
        for host, status in (("localhost", 200), (f"localhost:{port}", 200), ("127.0.0.1", 200),
                             (f"[::1]:{port}", 200), ("LOCALHOST", 200),
                             ("evil.example", 421), (f"evil.example:{port}", 421),
                             ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421)):
            with self.subTest(host=host):
                answer = self.client.evaluate("answer", headers={"Host": host})
                self.assertEqual(answer.status, status, answer)
        for origin in ("http://evil.example", "null", f"http://localhost:{port}"):
            with self.subTest(origin=origin):
                answer = self.client.evaluate("answer", headers={"Origin": origin})
                self.assertEqual(answer.status, 403, answer)

    def test_the_unix_socket_takes_any_host(self):
        there = self.daemon.unix(self.socket)
        answer = there.evaluate("answer", headers={"Host": "whatever.example"})
        self.assertEqual(answer.status, 200)

    def test_admin_obeys_the_host_rule_except_for_probes(self):
        admin = self.daemon.admin
        foreign = {"Host": "10.1.2.3:8014"}
        for path, status in (("/healthz", 200), ("/readyz", 200), ("/status", 421),
                             ("/metrics", 421), ("/usage", 421)):
            with self.subTest(path=path):
                self.assertEqual(admin.get(path, headers=foreign).status, status)

    def test_too_big(self):
        limit = 1_000_000
        frame = b'{"context":{"a":""}}'
        fitting = frame.replace(b'""', b'"' + b"x" * (limit - len(frame)) + b'"')
        self.assertEqual(self.client.post(ONE, fitting).status, 200)
        head = f"POST {ONE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        too_long = (head + f"Content-Length: {limit + 1}\r\n\r\n").encode() + b" " * (limit + 1)
        chunked = (head + "Transfer-Encoding: chunked\r\n\r\n").encode()
        chunked += b"".join(b"10000\r\n" + b" " * 65536 + b"\r\n" for _ in range(20)) + b"0\r\n\r\n"
        for name, request in (("length", too_long), ("chunked", chunked)):
            with self.subTest(name):
                self.assertIn(b" 413 ", self.raw(request).split(b"\r\n")[0])
        big_header = (head + "X-Big: " + "h" * (70 * 1024) + "\r\n\r\n").encode()
        self.assertIn(b" 431 ", self.raw(big_header).split(b"\r\n")[0])
        self.assertEqual(self.client.value(), "yes")

    def test_malformed_requests_are_refused_and_closed(self):
        body = b'{"context":{}}'
        length = b"Content-Length: %d\r\n" % len(body)
        head = b"POST " + ONE.encode() + b" HTTP/1.1\r\nHost: localhost\r\n"
        head += b"Content-Type: application/json\r\n"
        smuggled = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
        table = {
            "two lengths": head + length + b"Content-Length: 3\r\n\r\n" + body,
            "length and chunked": head + length + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "unknown coding": head + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "space before colon": head + b"Content-Length : 14\r\n\r\n" + body,
            "folded header": head + b"X: a\r\n b\r\n" + length + b"\r\n" + body,
            "negative length": head + b"Content-Length: -1\r\n\r\n" + body,
            "bare lf": head.replace(b"\r\n", b"\n") + b"\n",
            "no version": b"GET /\r\n\r\n",
            "bad version": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
            "nul in header": head + b"X: a\0b\r\n" + length + b"\r\n" + body,
            "bad chunk size": head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
            "no host": b"POST " + ONE.encode() + b" HTTP/1.1\r\n" + length + b"\r\n" + body,
            "binary": b"\x16\x03\x01\x02\x00\x01\x00",
        }
        for name, request in table.items():
            with self.subTest(name):
                received = self.raw(request + smuggled)
                self.assertLessEqual(received.count(b"HTTP/1.1 "), 1, received)
                if received:
                    self.assertRegex(received.split(b"\r\n")[0], rb"^HTTP/1\.1 (400|421|501|505) ")
        self.assertEqual(self.client.value(), "yes")

    def test_pipelined_requests_are_answered_in_order(self):
        one = (f"POST /ofrep/v1/evaluate/flags/%s HTTP/1.1\r\nHost: localhost\r\n"
               "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        many = "".join(one % key for key in ["answer", "missing"] * 50).encode()
        received = self.raw(many)
        first_lines = [line for line in received.split(b"\r\n") if b"HTTP/1.1 " in line]
        statuses = [line[line.index(b"HTTP/1.1 ") + 9:][:3] for line in first_lines]
        self.assertEqual(statuses, [b"200", b"404"] * 50)

    def test_expect_continue(self):
        request = (f"POST {ONE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n").encode()
        host, port = self.daemon.tcp_address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(request)
            self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 100 "))
            connection.sendall(b"{}")
            self.assertIn(b"200", connection.recv(65536).split(b"\r\n")[0])

    def test_keep_alive_and_close(self):
        with self.daemon.ofrep() as client:
            for _ in range(20):
                self.assertEqual(client.value(), "yes")
        closing = self.client.evaluate("answer", headers={"Connection": "close"})
        self.assertEqual((closing.status, closing.header("Connection")), (200, "close"))

    def test_log_injection(self):
        forged = "2026-01-01T00:00:00.000Z error forged"
        before = len(self.daemon.log)
        for key in (f"a%0a{forged.replace(' ', '%20')}", "a%1b[31mred", "a%00b"):
            self.client.post(f"/ofrep/v1/evaluate/flags/{key}", {"context": {}})
        self.client.evaluate("answer", headers={"Flagd-Selector": "flagSetId=\x1b[31m"})
        self.raw(f"GET /\r{forged} HTTP/1.1\r\n{forged}\r\n\r\n".encode())
        self.assertEqual(self.client.value(), "yes")
        for line in self.daemon.log[before:]:
            self.assertFalse(line.startswith(forged), line)
            self.assertNotIn("\x1b", line)

    def test_an_aborted_request_harms_nobody(self):
        host, port = self.daemon.tcp_address.rsplit(":", 1)
        for cut in (b"POST", b"POST / HTTP/1.1\r\nHost:",
                    f"POST {ONE} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{{".encode()):
            with socket.create_connection((host, int(port)), timeout=30) as connection:
                connection.sendall(cut)
        self.assertEqual(self.client.value(), "yes")


class AllowedHosts(DaemonTestCase):
    def test_configured_hosts_and_origins(self):
        self.write("flags.json", encoded(flags({"answer": "yes"})))
        daemon = self.start_with({"allowed_hosts": ["flags.internal"],
                                  "allowed_origins": ["https://app.example"],
                                  **self.one_source("file:flags.json")})
        client = daemon.ofrep()
        for headers, status in (({"Host": "flags.internal:80"}, 200),
                                ({"Host": "other.internal"}, 421),
                                ({"Origin": "https://app.example"}, 200),
                                ({"Origin": "https://app.example.evil"}, 403),
                                ({"Origin": "http://app.example"}, 403)):
            with self.subTest(headers=headers):
                self.assertEqual(client.evaluate("answer", headers=headers).status, status)


if __name__ == "__main__":
    main()
