"""LaunchDarkly's environment mirrored: by both protocols, streamed and polled, with their rules for
falling back; and what goes upstream with each request."""

import json
import urllib.parse

from launchdarkly_test_case import SDK_KEY, LaunchDarklyTestCase, main
from behaviours import status
from launchdarkly_flags import answering, compact, flag, segment
from launchdarkly_streams import server_sent

FDV1 = {"protocol": "fdv1"}


def change(path, value):
    return server_sent("patch", {"path": path, "data": value})


class Mirror(LaunchDarklyTestCase):
    def check_changes(self, service, daemon):
        """Initial data, a patch, a new flag, a segment that changes, a deletion; byte for byte."""
        client = daemon.ofrep()
        self.assertEqual(client.value("answer"), "v1")
        service.set_flag(answering("v2", version=2))
        daemon.await_value("v2")
        text = ('{ "key" : "raw\\u002fflag", "version": 7, "on": true, "variations": [1.50, 2e0],'
                '\n "fallthrough": {"variation": 0}, "offVariation":null, "salt":"", "futureField":'
                ' {"x": [ ] } }'.replace("\n", ""))
        service.set_text("flag", "raw/flag", 7, text)
        daemon.await_value(1.5, key="raw%2Fflag")
        self.assertIn(text.encode(), self.document(daemon).body)
        self.assertIs(client.value("staff-only", {"targetingKey": "bob"}), False)
        service.set_segment(segment("staff", version=2, included=["ada", "bob"]))
        self.eventually(lambda: client.value("staff-only", {"targetingKey": "bob"}) is True,
                        "the segment's change")
        service.delete_flag("answer")
        self.eventually(lambda: client.evaluate("answer").status == 404, "the deletion")
        self.assertNotIn("answer", json.loads(self.document(daemon).body)["flags"])

    def test_second_protocol_by_default(self):
        service, daemon = self.service_and_daemon()
        self.check_changes(service, daemon)
        self.assertEqual(service.streams, 1)
        self.assertEqual(len(service.requests_to("/all")), 0)
        self.assertEqual(len(service.requests_to("/sdk/latest-all")), 0)

    def test_first_protocol_where_the_second_is_unknown(self):
        service = self.service(fdv2=False)
        daemon = self.flagstone(service)
        self.check_changes(service, daemon)
        self.assertEqual(len(service.requests_to("/all")), 1)
        asked_in_vain = service.requests_to("/sdk/stream") + service.requests_to("/sdk/poll")
        self.assertEqual(len(asked_in_vain), 1, "once, and not again")

    def test_first_protocol_by_option(self):
        service, daemon = self.service_and_daemon(source=FDV1)
        self.check_changes(service, daemon)
        self.assertEqual([r.target for r in service.requests if "latest" not in r.target], ["/all"])

    def test_polling_alone(self):
        for protocol, path in (("fdv1", "/sdk/latest-all"), ("fdv2", "/sdk/poll")):
            with self.subTest(protocol=protocol):
                service = self.service()
                service.compressed = True
                daemon = self.flagstone(service, source={"protocol": protocol, "streaming": False})
                self.check_changes(service, daemon)
                self.assertEqual({r.target.partition("?")[0] for r in service.requests}, {path})
                asked = service.await_requests_to(path, len(service.requests_to(path)) + 2)
                self.assertTrue(asked[-1].header("If-None-Match"))
                self.assertEqual(daemon.failures(), 0)

    def test_the_fall_back_header_leads_to_polls_of_the_first_protocol_until_another_key(self):
        service = self.service(keys=(SDK_KEY, "sdk-key-two"))
        service.fall_back(ttl=0)
        daemon = self.flagstone(service)
        service.await_requests_to("/sdk/latest-all")
        self.assertEqual(len(service.requests_to("/all")), 0, "polls, no stream")
        service.no_fall_back()
        # That was for ever, and said to the first key alone.
        self.write("key", "sdk-key-two")
        service.await_streams(1, timeout=60)
        service.set_flag(answering("v2", version=2))
        daemon.await_value("v2")

    def test_a_stream_that_fails_is_made_up_for_by_polls_until_it_is_back(self):
        for protocol, stream, poll in (("fdv1", "/all", "/sdk/latest-all"),
                                       ("fdv2", "/sdk/stream", "/sdk/poll")):
            with self.subTest(protocol=protocol):
                service = self.service()
                service.interfere(stream, status(503))
                daemon = self.flagstone(service, source={"protocol": protocol})
                service.await_requests_to(poll, timeout=60)
                daemon.await_value("v1")
                service.set_flag(answering("v2", version=2))
                daemon.await_value("v2")
                service.heal()
                service.await_streams(1, timeout=60)
                service.set_flag(answering("v3", version=3))
                daemon.await_value("v3")

    def test_versions_that_go_back(self):
        service = self.service(answering("v5", version=5), flag("marker"), fdv2=False)
        daemon = self.flagstone(service)
        service.send_to_streams(change("/flags/answer", answering("old", version=4)))
        service.send_to_streams(change("/flags/answer", answering("same", version=5)))
        service.set_flag(flag("marker", (1, 2), version=2))
        daemon.await_value(1, key="marker")
        self.assertEqual(daemon.ofrep().value(), "v5")
        service.delete_flag("answer", version=9)
        self.eventually(lambda: daemon.ofrep().evaluate("answer").status == 404, "the deletion")
        service.send_to_streams(change("/flags/answer", answering("late", version=8)))
        service.set_flag(flag("marker", (3, 2), version=3))
        daemon.await_value(3, key="marker")
        self.assertEqual(daemon.ofrep().evaluate("answer").status, 404, "the tombstone holds")
        # A whole environment counts whatever its versions are.
        service.replace(answering("v1", version=1), flag("marker", (4, 2)))
        daemon.await_value("v1")

    def test_a_transfer_counts_only_when_it_is_whole(self):
        service, daemon = self.service_and_daemon()

        def put(value):
            return server_sent("put-object", {"version": value["version"], "kind": "flag",
                                        "key": value["key"], "object": value})
        service.send_to_streams(put(answering("never", version=2)))
        service.send_to_streams(server_sent("error", {"payloadId": "p1", "reason": "bad luck"}))
        service.set_flag(answering("only-this", key="marker"))
        daemon.await_value("only-this", key="marker")
        self.assertEqual(daemon.ofrep().value(), "v1", "what an error interrupted is forgotten")
        service.send_to_streams(put(answering("never either", version=2)))
        service.send_to_streams(server_sent("goodbye", {"reason": "maintenance", "silent": False,
                                                  "catastrophe": False}))
        again = service.await_requests_to("/sdk/stream", 2)
        self.assertIn("basis=", again[-1].target)
        service.await_streams(1)
        service.set_flag(answering("v2", version=2))
        daemon.await_value("v2")

    def test_unknown_things_are_passed_over(self):
        for options in ({"protocol": "fdv1"}, {"protocol": "fdv2"}):
            with self.subTest(**options):
                service, daemon = self.service_and_daemon(source=options)
                service.heartbeat()
                service.send_to_streams(server_sent("heart-beat", {}))
                service.send_to_streams(server_sent("from-the-future", {"a": 1}))
                service.send_to_streams(b"event: put-object\nid: 1\nretry: 100\ndata: " + compact(
                    {"version": 1, "kind": "hologram", "key": "h", "object": {}}).encode() + b"\n\n")
                service.send_to_streams(server_sent("patch", {"path": "/holograms/h", "data": {}}))
                service.set_flag(answering("v2", version=2))
                daemon.await_value("v2")
                self.assertEqual(service.streams, 1, "the stream went on")
                self.assertEqual(daemon.failures(), 0)

    def test_what_goes_upstream_with_a_request(self):
        service = self.service(fdv2=False)
        self.flagstone(service, source={
            "filter": "checkout", "wrapper": "platform/1.2",
            "tags": {"application-version": "7", "application-id": "shop"}})
        asked = service.await_requests_to("/all")[0]
        self.assertEqual(asked.target, "/all?filter=checkout")
        for name, value in (("Authorization", SDK_KEY), ("Accept", "text/event-stream"),
                            ("X-LaunchDarkly-Wrapper", "platform/1.2"),
                            ("X-LaunchDarkly-Tags", "application-id/shop application-version/7")):
            self.assertEqual(asked.header(name), value)
        self.assertRegex(asked.header("User-Agent"), "^flagstone/")

    def test_another_filter_begins_anew(self):
        service = self.service()
        asked = []
        for name in ("checkout", "checkout", "search"):
            daemon = self.flagstone(service, source={"filter": name})
            asked = service.await_requests_to("/sdk/stream", len(asked) + 1)
            daemon.stop()
        queries = [urllib.parse.parse_qs(a.target.partition("?")[2]) for a in asked]
        self.assertEqual([q["filter"] for q in queries], [["checkout"], ["checkout"], ["search"]])
        self.assertEqual(["basis" in q for q in queries], [False, True, False])

    def test_another_flagstone_as_upstream(self):
        service = self.service()
        hub = self.flagstone(service)
        pod = self.start_with({"state": {"dir": self.path("pod")}, "environments": {"default": {
            "dialect": "launchdarkly", "sources": [{
                "uri": "http://" + hub.tcp_address, "credential_file": self.path("key")}]}}},
            name="pod.json")
        self.assertEqual(pod.ofrep().value(), "v1")
        service.set_flag(answering("v2", version=2))
        pod.await_value("v2")
        service.delete_flag("answer")
        self.eventually(lambda: pod.ofrep().evaluate("answer").status == 404, "the deletion")
        self.assertEqual(json.loads(self.document(pod).body), json.loads(self.document(hub).body))
        hub.kill()
        self.assertEqual(pod.ofrep().value("off-flag"), "off")


if __name__ == "__main__":
    main()
