"""What LaunchDarkly's server SDKs are served, read as bytes; interop has the SDKs themselves."""

import concurrent.futures
import json
import signal
import socket
import urllib.parse

from launchdarkly_test_case import AUTHORIZED, FLAGS, SDK_KEY, LaunchDarklyTestCase, main
from launchdarkly_flags import answering

# More than the sockets between two processes hold.
LARGE = [answering("v" * 2000, key=f"flag-{number}") for number in range(6000)]


class Stopping(LaunchDarklyTestCase):
    """An answer in slices at a SIGTERM: whole, or without a proper end."""

    def half_read(self, daemon, method, target, headers=b"", body=b""):
        """A socket on which that answer has begun."""
        host, port = daemon.tcp_address.rsplit(":", 1)
        asking = socket.create_connection((host, int(port)))
        self.addCleanup(asking.close)
        asking.settimeout(60)
        asking.sendall(b"%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\n%s"
                       b"Content-Length: %d\r\n\r\n%s" % (method, target, SDK_KEY.encode(), headers,
                                                      len(body), body))
        begun = asking.recv(1000)
        self.assertIn(b" 200 ", begun.split(b"\r\n")[0])
        return asking, begun

    def rest(self, asking, begun):
        pieces = [begun]
        try:
            while piece := asking.recv(1 << 20):
                pieces.append(piece)
        except ConnectionResetError:
            pass
        return b"".join(pieces)

    def both_answers(self, daemon):
        return (self.half_read(daemon, b"GET", b"/sdk/latest-all"),
                self.half_read(daemon, b"POST", b"/ofrep/v1/evaluate/flags",
                               b"Content-Type: application/json\r\n",
                               b'{"context":{"targetingKey":"u"}}'))

    def test_who_reads_on_gets_all_of_it(self):
        service = self.service(*LARGE)
        daemon = self.flagstone(service, process={"drain_time": "20s"})
        answers = self.both_answers(daemon)
        daemon.signal(signal.SIGTERM)
        daemon.await_log("stopping")
        # At once: who is not read from for long is cut.
        with concurrent.futures.ThreadPoolExecutor() as readers:
            wholes = list(readers.map(lambda answer: self.rest(*answer), answers))
        for whole in wholes:
            self.assertTrue(whole.endswith(b"0\r\n\r\n"))
            self.assertTrue(b"flag-5999" in whole, "ended as whole, and is not")
        self.assertEqual(daemon.wait(), 0)

    def test_who_does_not_read_gets_no_end(self):
        service = self.service(*LARGE)
        daemon = self.flagstone(service, process={"drain_time": "1s"})
        answers = self.both_answers(daemon)
        self.assertEqual(daemon.stop(), 0)
        for asking, begun in answers:
            self.assertFalse(self.rest(asking, begun).endswith(b"0\r\n\r\n"))


class Serving(LaunchDarklyTestCase):
    def test_first_protocol(self):
        service, daemon = self.service_and_daemon()
        stream = self.subscribe(daemon)
        whole = self.next_data(stream, "put")
        self.assertEqual(whole["path"], "/")
        self.assertEqual(set(whole["data"]["flags"]), {value["key"] for value in FLAGS})
        service.set_flag(answering("v2", version=2))
        patch = self.next_data(stream, "patch")
        self.assertEqual((patch["path"], patch["data"]["version"]), ("/flags/answer", 2))
        service.delete_flag("answer", version=5)
        delete = self.next_data(stream, "delete")
        self.assertEqual(delete["path"], "/flags/answer")
        self.assertGreater(delete["version"], 2, "an SDK passes over what is not newer")

    def test_second_protocol_with_deltas(self):
        service, daemon = self.service_and_daemon()
        stream = self.subscribe(daemon, "/sdk/stream")
        intent = self.next_data(stream, "server-intent")
        self.assertEqual(intent["payloads"][0]["intentCode"], "xfer-full")
        for _ in range(len(FLAGS) + 1):
            self.next_data(stream, "put-object")
        state = self.next_data(stream, "payload-transferred")["state"]
        service.set_flag(answering("v2", version=2))
        # A stream may say again that changes follow; SDKs take them for such in any case.
        event = stream.next_event()
        if event["event"] == "server-intent":
            event = stream.next_event()
        self.assertEqual(json.loads(event["data"])["object"]["version"], 2)
        now = self.next_data(stream, "payload-transferred")["state"]
        self.assertNotEqual(now, state)
        for basis, code, names in (
                (now, "none", []), (state, "xfer-changes", ["put-object", "payload-transferred"]),
                ("nonsense", "xfer-full", None)):
            with self.subTest(basis=code):
                events = daemon.ofrep().get("/sdk/poll?basis=" + urllib.parse.quote(basis, safe=""),
                                            AUTHORIZED).json["events"]
                self.assertEqual(events[0]["data"]["payloads"][0]["intentCode"], code)
                if names is not None:
                    self.assertEqual([e["event"] for e in events[1:]], names)

    def test_etags_and_single_objects(self):
        service, daemon = self.service_and_daemon()
        client = daemon.ofrep()
        etag = self.document(daemon).header("ETag")
        for path in ("/sdk/latest-all", "/sdk/poll"):
            tag = client.get(path, AUTHORIZED).header("ETag")
            again = client.get(path, {**AUTHORIZED, "If-None-Match": tag})
            self.assertEqual((again.status, again.body), (304, b""), path)
        service.set_flag(answering("v2", version=2))
        daemon.await_value("v2")
        self.assertEqual(client.get("/sdk/latest-all", {**AUTHORIZED, "If-None-Match": etag}).status,
                         200)
        self.assertEqual(client.get("/sdk/flags/answer", AUTHORIZED).json["version"], 2)
        self.assertEqual(client.get("/sdk/segments/staff", AUTHORIZED).json["included"], ["ada"])
        self.assertEqual(client.get("/sdk/flags/nobody", AUTHORIZED).status, 404)
        self.assertEqual(set(client.get("/sdk/flags", AUTHORIZED).json),
                         {value["key"] for value in FLAGS})

    def test_only_the_configured_key_opens(self):
        daemon = self.flagstone(self.service())
        client = daemon.ofrep()
        paths = ("/all", "/flags", "/sdk/latest-all", "/sdk/flags", "/sdk/flags/answer",
                 "/sdk/segments/staff", "/sdk/stream", "/sdk/poll", "/sdk/evalx/users/e30")
        for path in paths:
            for headers in ({}, {"Authorization": "sdk-other"}):
                with self.subTest(path=path, headers=headers):
                    self.assertEqual(client.get(path, headers).status, 401)
        for path in ("/bulk", "/diagnostic"):
            self.assertEqual(client.post(path, []).status, 401, path)

    def test_two_environments_by_their_keys(self):
        one, two = self.service(), self.service(answering("other"), keys=("sdk-key-two",))
        daemon = self.start_with({"environments": {
            "one": self.environment(one, key_file="one"),
            "two": self.environment(two, key="sdk-key-two", key_file="two")}})
        client = daemon.ofrep()
        for key, value in ((SDK_KEY, "v1"), ("sdk-key-two", "other")):
            flags = client.get("/sdk/flags", {"Authorization": key}).json
            self.assertEqual(flags["answer"]["variations"][0], value)


if __name__ == "__main__":
    main()
