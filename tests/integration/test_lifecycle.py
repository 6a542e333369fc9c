"""From SIGTERM to reload: no request is lost, and a bad configuration never replaces a good one."""

import json
import os
import signal
import socket

from daemon_test_case import DaemonTestCase, main
from flag_documents import answering
from load import Load


class Ending(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.write("flags.json", answering("v1"))
        self.socket = self.path("f.sock")

    def start_with_delay(self, delay="1s"):
        return self.start("file:flags.json", options=("--shutdown-delay", delay),
                          listen=("127.0.0.1:0", f"unix:{self.socket}"))

    def test_sigterm_under_load_loses_no_request(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                daemon = self.start_with_delay("500ms")
                addresses = [daemon.tcp_address, f"unix:{self.socket}"]
                with Load(addresses, [b'"v1"'], allow_refused_at_end=True) as load:
                    load.await_answers(200)
                    daemon.signal(number)
                    load.await_answers(20)
                    self.assertEqual(daemon.wait(), 0)
                self.assertEqual(load.failures, [])

    def test_not_ready_at_once_but_serving_through_the_delay(self):
        daemon = self.start_with_delay("2s")
        daemon.signal(signal.SIGTERM)
        self.eventually(lambda: daemon.admin.get("/readyz").status == 503, "not ready")
        self.assertEqual(daemon.admin.get("/healthz").status, 200)
        self.assertEqual(daemon.ofrep().value(), "v1")
        self.assertEqual(daemon.wait(), 0)

    def test_a_second_sigterm_ends_it_at_once(self):
        daemon = self.start_with_delay("60s")
        daemon.signal(signal.SIGTERM)
        self.eventually(lambda: daemon.admin.get("/readyz").status == 503, "not ready")
        daemon.signal(signal.SIGTERM)
        # Far from the delay of 60 s; wait() fails after half of that.
        daemon.wait(20)

    def test_a_request_in_flight_is_answered(self):
        daemon = self.start_with_delay("0s")
        host, port = daemon.tcp_address.rsplit(":", 1)
        head = ("POST /ofrep/v1/evaluate/flags/answer HTTP/1.1\r\nHost: localhost\r\n"
                "Content-Type: application/json\r\nContent-Length: 14\r\n\r\n").encode()
        with socket.create_connection((host, int(port)), timeout=30) as app:
            app.sendall(head + b'{"conte')
            self.eventually(lambda: daemon.metric("flagstone_connections") >= 1, "the connection")
            daemon.signal(signal.SIGTERM)
            self.await_not_listening(daemon)
            app.sendall(b'xt":{}}')
            answer = b""
            while chunk := app.recv(65536):
                answer += chunk
        self.assertIn(b"200", answer.split(b"\r\n")[0])
        self.assertIn(b'"v1"', answer)
        self.assertEqual(daemon.wait(), 0)

    def await_not_listening(self, daemon):
        host, port = daemon.tcp_address.rsplit(":", 1)

        def refused():
            try:
                socket.create_connection((host, int(port)), timeout=5).close()
            except ConnectionError:
                return True
            return False
        self.eventually(refused, "no listener")

    def test_idle_connections_do_not_hold_it_up(self):
        daemon = self.start_with_delay("0s")
        host, port = daemon.tcp_address.rsplit(":", 1)
        idle = [socket.create_connection((host, int(port)), timeout=30) for _ in range(20)]
        self.assertEqual(daemon.ofrep().value(), "v1")
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(20), 0)
        for app in idle:
            app.close()

    def test_sigterm_before_ready(self):
        daemon = self.start("file:absent.json", wait="bound")
        self.assertEqual(daemon.stop(), 0)

    def test_the_state_is_written_before_the_end(self):
        daemon = self.start_with_delay("0s")
        for number in range(2, 8):
            self.write("flags.json", answering(f"v{number}"))
            daemon.await_value(f"v{number}")
        self.assertEqual(daemon.stop(), 0)
        os.remove(self.path("flags.json"))
        self.assertEqual(self.start_with_delay().ofrep().value(), "v7")


class Reload(DaemonTestCase):
    def setUp(self):
        super().setUp()
        for name in ("a", "b"):
            self.write(f"{name}.json", answering(name))

    def configuration(self, file, **more):
        return {"listen": ["127.0.0.1:0"], "admin": "127.0.0.1:0",
                "state": {"dir": self.path("state")}, **self.one_source(f"file:{file}.json"),
                **more}

    def rewrite(self, configuration):
        text = configuration if isinstance(configuration, str) else json.dumps(configuration)
        self.write("flagstone.json", text)

    def test_an_edited_configuration_is_taken_over(self):
        daemon = self.start_with(self.configuration("a"))
        self.assertEqual(daemon.ofrep().value(), "a")
        self.rewrite(self.configuration("b"))
        daemon.await_value("b")

    def test_sighup_does_the_same_and_kills_nobody(self):
        daemon = self.start_with(self.configuration("a"))
        for file in ("b", "a", "b"):
            self.rewrite(self.configuration(file))
            daemon.signal(signal.SIGHUP)
            daemon.await_value(file)

    def test_a_bad_configuration_keeps_the_old(self):
        daemon = self.start_with(self.configuration("a"))
        bad = {"not YAML": "{", "unknown key": json.dumps(self.configuration("b", colour=1)),
               "wrong type": json.dumps(self.configuration("b", cache={"memory_limit": []})),
               "no such dialect": json.dumps({**self.configuration("b"), "environments": {
                   "default": {"dialect": "nobody", "sources": [{"uri": "file:b.json"}]}}}),
               "a variable that is not set": json.dumps({**self.configuration("b"), "environments": {
                   "default": {"accept": [{"env": "FST_NO_SUCH_KEY"}],
                               "sources": [{"uri": "file:b.json"}]}}}),
               "empty": ""}
        for name, text in bad.items():
            with self.subTest(name):
                before = len(daemon.log)
                self.rewrite(text)
                daemon.signal(signal.SIGHUP)
                daemon.await_log(r"(warn|error)", since=before)
                self.assertEqual(daemon.ofrep().value(), "a")
        self.rewrite(self.configuration("b"))
        daemon.await_value("b")

    def test_a_configuration_that_vanishes_keeps_the_old(self):
        daemon = self.start_with(self.configuration("a"))
        os.remove(self.path("flagstone.json"))
        daemon.signal(signal.SIGHUP)
        daemon.await_log(r"(warn|error).*flagstone\.json")
        self.assertEqual(daemon.ofrep().value(), "a")

    def test_an_environment_comes_and_goes(self):
        self.write("token", "secret-of-two")
        two = {"sources": [{"uri": "file:b.json"}], "accept": [{"file": "token"}]}
        one = self.configuration("a")
        both = {**one, "environments": {**one["environments"], "two": two}}
        daemon = self.start_with(one)
        bearer = {"Authorization": "Bearer secret-of-two"}
        self.rewrite(both)
        self.eventually(lambda: daemon.ofrep().evaluate("answer", headers=bearer).value == "b",
                        "environment two")
        self.rewrite(one)
        self.eventually(lambda: daemon.ofrep().evaluate("answer", headers=bearer).value != "b",
                        "its end")
        self.assertEqual(daemon.ofrep().value(), "a")

    def test_what_needs_a_restart_says_so(self):
        daemon = self.start_with(self.configuration("a"))
        changed = self.configuration("b")
        changed["serving_threads"] = 2
        self.rewrite(changed)
        daemon.await_log(r"(?i)serving_threads.*restart|restart.*serving_threads")
        daemon.await_value("b")

    def test_reload_under_load_loses_no_request(self):
        daemon = self.start_with(self.configuration("a"))
        with Load([daemon.tcp_address], [b'"a"', b'"b"']) as load:
            for file in ("b", "a") * 5:
                load.await_answers(20)
                self.rewrite(self.configuration(file))
                daemon.await_value(file)
        self.assertEqual(load.failures, [])


if __name__ == "__main__":
    main()
