"""Bulk answers and their ETag, and the change events that tell a client to ask again."""

import json

from daemon_test_case import DaemonTestCase, main
from behaviours import document
from flag_documents import answering, encoded, flags
from ofrep_client import EventStream


class Bulk(DaemonTestCase):
    def start_on(self, whole):
        self.write("flags.json", whole)
        return self.start("file:flags.json")

    def test_304_for_the_same_question(self):
        client = self.start_on(answering("v1", padding=50)).ofrep()
        first = client.bulk({"user": "a"})
        etag = first.header("ETag")
        self.assertRegex(etag, r'^"[^"]+"$')
        for condition in (etag, f'"other", {etag}', "*", f"W/{etag}"):
            with self.subTest(condition):
                again = client.bulk({"user": "a"}, {"If-None-Match": condition})
                self.assertEqual((again.status, again.body), (304, b""), again)
                self.assertEqual(again.header("ETag"), etag)
        self.assertEqual(client.bulk({"user": "b"}, {"If-None-Match": etag}).status, 200)
        self.assertEqual(client.bulk({"user": "a"}, {"If-None-Match": '"x"'}).status, 200)

    def test_a_config_etag_that_differs_forces_an_answer(self):
        client = self.start_on(answering("v1")).ofrep()
        etag = client.bulk().header("ETag")
        forced = client.bulk(headers={"If-None-Match": etag}, query="?flagConfigEtag=newer")
        self.assertEqual(forced.status, 200)
        self.assertTrue(forced.json["flags"])

    def test_a_change_changes_the_etag_and_its_return_brings_it_back(self):
        daemon = self.start_on(answering("v1"))
        client = daemon.ofrep()
        before = client.bulk().header("ETag")
        self.write("flags.json", answering("v2"))
        daemon.await_value("v2")
        changed = client.bulk(headers={"If-None-Match": before})
        self.assertEqual(changed.status, 200)
        self.assertNotEqual(changed.header("ETag"), before)
        self.write("flags.json", answering("v1"))
        daemon.await_value("v1")
        self.assertEqual(client.bulk(headers={"If-None-Match": before}).status, 304)

    def test_the_etag_is_the_same_after_a_restart(self):
        daemon = self.start_on(answering("v1"))
        etag = daemon.ofrep().bulk().header("ETag")
        daemon.kill()
        daemon = self.start("file:flags.json")
        self.assertEqual(daemon.ofrep().bulk(headers={"If-None-Match": etag}).status, 304)

    def test_staleness_is_part_of_it(self):
        fake = self.upstream(document(answering("v1"), '"v1"'))
        daemon = self.start(fake.uri())
        live = daemon.ofrep().bulk().header("ETag")
        self.await_state_written(daemon)
        daemon.kill()
        fake.die()
        daemon = self.start(fake.uri())
        stale = daemon.ofrep().bulk(headers={"If-None-Match": live})
        self.assertEqual(stale.status, 200)
        self.assertIs(stale.json["metadata"]["flagstone.stale"], True)

    def test_what_reads_the_clock_has_no_etag(self):
        whole = flags({"answer": "v1"})
        whole["flags"]["answer"]["targeting"] = {
            "if": [{">": [{"var": "$flagd.timestamp"}, 4102444800]}, "on", None]}
        client = self.start_on(encoded(whole)).ofrep()
        answer = client.bulk()
        self.assertEqual(answer.status, 200)
        self.assertIsNone(answer.header("ETag"))
        self.assertEqual(client.bulk(headers={"If-None-Match": "*"}).status, 200)

    def test_a_flag_in_error_is_an_item_of_its_own(self):
        whole = flags({"good": 1, "bad": 2})
        whole["flags"]["bad"]["targeting"] = {"no_such_operator": []}
        items = {i["key"]: i for i in self.start_on(encoded(whole)).ofrep().bulk().json["flags"]}
        self.assertEqual(items["good"]["value"], 1)
        self.assertEqual(items["bad"]["errorCode"], "PARSE_ERROR")
        self.assertNotIn("value", items["bad"])


class Events(DaemonTestCase):
    def open(self, daemon, **more):
        stream = EventStream(daemon.ofrep(), **more)
        self.addCleanup(stream.close)
        self.assertEqual(stream.response.status, 200)
        self.assertTrue(stream.response.getheader("Content-Type").startswith("text/event-stream"))
        return stream

    def test_bulk_names_the_stream(self):
        self.write("flags.json", answering("v1"))
        daemon = self.start("file:flags.json")
        stream = daemon.ofrep().bulk().json["eventStreams"][0]
        self.assertEqual(stream["type"], "sse")
        self.assertTrue(stream["endpoint"]["requestUri"].startswith("/ofrep/v1/sse"))
        self.open(daemon, path=stream["endpoint"]["requestUri"])

    def test_a_change_asks_to_refetch(self):
        self.write("flags.json", answering("v1"))
        daemon = self.start("file:flags.json")
        streams = [self.open(daemon) for _ in range(3)]
        for version in ("v2", "v3"):
            self.write("flags.json", answering(version))
            for stream in streams:
                event = stream.next_event()
                self.assertEqual(event["event"], "message")
                data = json.loads(event["data"])
                self.assertEqual(data["type"], "refetchEvaluation")
                self.assertTrue(data["etag"])
                self.assertGreater(data["lastModified"], 1_600_000_000)
            self.assertEqual(daemon.ofrep().value(), version)

    def test_an_event_s_etag_forces_a_stale_cache_past_304(self):
        self.write("flags.json", answering("v1"))
        daemon = self.start("file:flags.json")
        stream = self.open(daemon)
        old = daemon.ofrep().bulk().header("ETag")
        self.write("flags.json", answering("v2"))
        etag = json.loads(stream.next_event()["data"])["etag"].strip('"')
        answer = daemon.ofrep().bulk(headers={"If-None-Match": old},
                                     query=f"?flagConfigEtag={etag}")
        self.assertEqual(answer.status, 200)

    def test_only_what_the_selector_means(self):
        for name in ("blue", "red"):
            self.write(f"{name}.json", encoded(flags({name: 1}, metadata={"flagSetId": name})))
        daemon = self.start("file:blue.json", "file:red.json")
        stream = self.open(daemon, headers={"Flagd-Selector": "flagSetId=blue"})
        self.write("red.json", encoded(flags({"red": 2}, metadata={"flagSetId": "red"})))
        daemon.await_value(2, key="red")
        self.write("blue.json", encoded(flags({"blue": 2}, metadata={"flagSetId": "blue"})))
        first = json.loads(stream.next_event()["data"])
        self.assertEqual(first["type"], "refetchEvaluation")
        # The event of the red change would have come first; the blue one is the first there is.
        self.write("blue.json", encoded(flags({"blue": 3}, metadata={"flagSetId": "blue"})))
        daemon.await_value(3, key="blue")
        second = json.loads(stream.next_event()["data"])
        self.assertNotEqual(first["etag"], second["etag"])

    def test_a_bad_selector_opens_nothing(self):
        self.write("flags.json", answering("v1"))
        daemon = self.start("file:flags.json")
        answer = daemon.ofrep().get("/ofrep/v1/sse", {"Flagd-Selector": "colour=blue"})
        self.assertEqual(answer.status, 400, answer)

    def test_streams_end_with_the_daemon_and_are_counted(self):
        self.write("flags.json", answering("v1"))
        daemon = self.start("file:flags.json")
        streams = [self.open(daemon) for _ in range(5)]
        self.assertGreaterEqual(daemon.metric("flagstone_connections"), 5)
        self.assertEqual(daemon.stop(), 0)
        for stream in streams:
            self.assertIsNone(stream.next_event())

    def test_a_reader_that_never_reads_harms_nobody(self):
        self.write("flags.json", answering("v0"))
        daemon = self.start("file:flags.json")
        self.open(daemon)
        for number in range(200):
            self.write("flags.json", answering(f"v{number}"))
        daemon.await_value("v199")


if __name__ == "__main__":
    main()
