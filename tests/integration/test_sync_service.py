"""flagd.sync.v1.FlagSyncService and GET /v1/flags: providers that evaluate by themselves, and other
daemons, take this one as their source."""

import json
import os
import unittest

from connect_client import ConnectStream, call
from daemon_test_case import SHARED, DaemonTestCase, main
from flag_documents import encoded, flag, flags

SERVICE = "/flagd.sync.v1.FlagSyncService/"
CONFORMANCE = os.path.join(SHARED, "conformance", "flagd")


def served(value, source="flags.json", **more):
    return {**flag(value), "source": source, **more}


class SyncService(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.write("flags.json", encoded(flags({"a": 1})))

    def sync(self, daemon, message=None, **headers):
        stream = ConnectStream(daemon.ofrep(), SERVICE + "SyncFlags", message, headers)
        self.addCleanup(stream.close)
        self.assertEqual(stream.response.status, 200)
        return stream

    def document(self, stream):
        return json.loads(stream.next()["flagConfiguration"])

    def test_the_document_and_the_next_one(self):
        daemon = self.start("file:flags.json", options=("--context-value", "region=eu"))
        stream = self.sync(daemon, {"providerId": "test"})
        first = stream.next()
        self.assertEqual(json.loads(first["flagConfiguration"]), {"flags": {"a": served(1)}})
        self.assertEqual(first["syncContext"], {"region": "eu"})
        self.write("flags.json", encoded(flags({"a": 2}, metadata={"team": "x"})))
        self.assertEqual(self.document(stream),
                         {"flags": {"a": served(2, metadata={"team": "x"})}})

    def test_fetch_all_flags_and_metadata(self):
        daemon = self.start("file:flags.json", options=("--context-value", "region=eu"))
        fetched = call(daemon.ofrep(), SERVICE + "FetchAllFlags")
        self.assertEqual(json.loads(fetched.json["flagConfiguration"]),
                         {"flags": {"a": served(1)}})
        self.assertEqual(call(daemon.ofrep(), SERVICE + "GetMetadata").json,
                         {"metadata": {"region": "eu"}})

    def test_metadata_can_be_switched_off(self):
        daemon = self.start_with({**self.one_source("file:flags.json"), "sync_metadata": False})
        refused = call(daemon.ofrep(), SERVICE + "GetMetadata")
        self.assertEqual((refused.status, refused.json["code"]), (501, "unimplemented"))

    def test_selectors(self):
        self.write("other.json", encoded(flags({"o": 1}, metadata={"flagSetId": "other"})))
        daemon = self.start("file:flags.json", "file:other.json")
        other = {"flags": {"o": served(1, "other.json", metadata={"flagSetId": "other"})}}
        for message, headers in (({"selector": "flagSetId=other"}, {}),
                                 ({"selector": "flags.json"}, {"Flagd-Selector": "other.json"})):
            with self.subTest(message=message):
                self.assertEqual(self.document(self.sync(daemon, message, **headers)), other)
        client = daemon.ofrep()
        for selector, status, body in (("flagSetId=other", 200, other),
                                       ("flagSetId=none", 200, {"flags": {}})):
            answer = client.get("/v1/flags", {"Flagd-Selector": selector})
            self.assertEqual((answer.status, answer.json), (status, body))
        self.assertEqual(client.get("/v1/flags", {"Flagd-Selector": "colour=blue"}).status, 400)

    def test_pollers(self):
        daemon = self.start("file:flags.json")
        client = daemon.ofrep()
        answer = client.get("/v1/flags")
        self.assertEqual(answer.json, {"flags": {"a": served(1)}})
        self.assertEqual(answer.header("Content-Type"), "application/json")
        self.assertRegex(answer.header("Last-Modified"), "^[A-Z][a-z][a-z], .* GMT$")
        same = client.get("/v1/flags", {"If-None-Match": answer.header("ETag")})
        self.assertEqual((same.status, same.body), (304, b""))
        self.assertEqual(client.request("HEAD", "/v1/flags").body, b"")
        self.write("flags.json", encoded(flags({"a": 2})))
        changed = self.eventually(
            lambda: next((a for a in [client.get("/v1/flags", {
                "If-None-Match": answer.header("ETag")})] if a.status == 200), None), "a change")
        self.assertEqual(changed.json, {"flags": {"a": served(2)}})

    def test_what_is_missing_does_not_look_deleted(self):
        daemon = self.start("file:flags.json", "file:late.json", wait="bound")
        answer = daemon.ofrep().get("/v1/flags")
        self.assertEqual((answer.status, answer.header("Retry-After")), (503, "1"))
        fetched = call(daemon.ofrep(), SERVICE + "FetchAllFlags")
        self.assertEqual((fetched.status, fetched.json["code"]), (503, "unavailable"))
        stream = self.sync(daemon)
        self.write("late.json", encoded(flags({"b": 1})))
        self.assertEqual(set(self.document(stream)["flags"]), {"a", "b"})

    def test_streams_end(self):
        daemon = self.start("file:flags.json", options=("--stream-deadline", "200ms"))
        stream = self.sync(daemon)
        self.assertEqual(stream.end()["error"]["code"], "deadline_exceeded")

    def test_the_end_of_the_process_ends_streams_well(self):
        daemon = self.start("file:flags.json")
        stream = self.sync(daemon)
        self.document(stream)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(stream.end(), {})


class Chain(DaemonTestCase):
    """File, hub, pod."""

    def start_hub_and_pod(self, *options):
        hub = self.start("file:flags.json", state="hub-state")
        pod = self.start(f"http://{hub.tcp_address}/v1/flags", state="pod-state", options=options)
        return hub, pod

    def test_a_change_goes_through_and_the_pod_outlives_the_hub(self):
        self.write("flags.json", encoded(flags({"a": 1}, metadata={"team": "x"})))
        hub, pod = self.start_hub_and_pod()
        answer = pod.ofrep().evaluate("a")
        self.assertEqual((answer.value, answer.metadata), (1, {"team": "x"}))
        self.write("flags.json", encoded(flags({"a": 2})))
        self.eventually(lambda: pod.ofrep().value("a") == 2, "the change at the pod")
        hub.kill()
        self.assertEqual(pod.ofrep().value("a"), 2)

    @unittest.skipUnless(os.path.isdir(CONFORMANCE), "there is no ../shared/conformance")
    def test_the_testbed_s_flags_answer_alike_at_both(self):
        with open(os.path.join(CONFORMANCE, "flags.json"), encoding="utf-8") as file:
            self.write("flags.json", file.read())
        with open(os.path.join(CONFORMANCE, "cases.json"), encoding="utf-8") as file:
            cases = json.load(file)["cases"]
        hub, pod = self.start_hub_and_pod()
        with hub.ofrep() as at_hub, pod.ofrep() as at_pod:
            for case in cases:
                answers = [client.evaluate(case["flag"], case["context"]).json
                           for client in (at_hub, at_pod)]
                self.assertEqual(answers[0], answers[1], case)


if __name__ == "__main__":
    main()
