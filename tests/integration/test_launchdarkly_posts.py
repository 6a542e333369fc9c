"""Events that apps post: answered at once, merged, sent once each and in few requests, through
outages, lost answers and kills."""

import base64
import gzip
import json
import pathlib
import random
import signal
import socket
import uuid

from launchdarkly_test_case import AUTHORIZED, SDK_KEY, WHO, LaunchDarklyTestCase, main
from behaviours import hang, sequence, status
from launchdarkly_events import custom, evaluations, events_of, once_each, summary
from launchdarkly_flags import answering
from launchdarkly_service import accepted_but_reset

SOON = {"flush_interval": "1s"}
SELDOM = {"flush_interval": "1h"}
ONE = ("answer", 0, 1, "v1")


class Posts(LaunchDarklyTestCase):
    def post(self, daemon, events, payload=None, status=202, path="/bulk", packed=False, **headers):
        body = json.dumps(events).encode()
        answer = daemon.ofrep().post(path, gzip.compress(body) if packed else body, {
            **AUTHORIZED, "X-LaunchDarkly-Event-Schema": "4",
            "X-LaunchDarkly-Payload-ID": payload or str(uuid.uuid4()),
            **({"Content-Encoding": "gzip"} if packed else {}), **headers})
        self.assertEqual(answer.status, status, answer)
        return answer

    def test_answered_at_once_merged_and_sent_once(self):
        service, daemon = self.service_and_daemon(events=SOON)
        for number in range(20):
            answer = self.post(daemon, [summary({ONE: 5}, 1_000 + number, 3_000 + number),
                                        custom(number)], packed=number % 2)
            self.assertTrue(answer.header("Date"))
        service.await_evaluations({"answer": 100})
        service.await_posted(lambda b: len(events_of(b, "custom")) == 20, "custom events")
        batches = service.posted()
        self.assertEqual(service.summary_counts(), {("answer", 0, 1): 100})
        self.assertEqual([event["data"]["number"] for event in events_of(batches, "custom")],
                         list(range(20)), "verbatim and in their order")
        self.assertLessEqual(len(batches), 5)
        for batch in batches:
            self.assertEqual((batch.key, batch.schema), (SDK_KEY, "4"))
            self.assertEqual(batch.headers.get("content-encoding"), "gzip")
        dates = [(s["startDate"], s["endDate"]) for s in events_of(batches, "summary")]
        self.assertEqual((min(d[0] for d in dates), max(d[1] for d in dates)), (1_000, 3_019))

    def test_index_events_are_told_once(self):
        service, daemon = self.service_and_daemon(events=SOON)
        index = {"kind": "index", "creationDate": 1, "context": {"kind": "user", "key": "ada"}}
        for _ in range(5):
            self.post(daemon, [index, custom(1)])
        service.await_posted(lambda b: len(events_of(b, "custom")) == 5, "custom events")
        self.assertEqual(len(events_of(service.posted(), "index")), 1)

    def test_a_post_that_comes_again_counts_once(self):
        service, daemon = self.service_and_daemon(events=SOON)
        for _ in range(3):
            self.post(daemon, [summary({ONE: 7})], payload="5b1e0d0e-again")
        self.post(daemon, [custom(1)])
        service.await_posted(lambda b: events_of(b, "custom"), "the event after it")
        self.assertEqual(evaluations(service.posted()), {"answer": 7})

    def test_all_that_an_sdk_may_have_kept_comes_in_one_body(self):
        service, daemon = self.service_and_daemon(events=SOON)
        self.post(daemon, [{**custom(number), "metadata": "x" * 1_000} for number in range(3_000)])
        service.await_posted(lambda b: len(events_of(b, "custom")) == 3_000, "custom events")

    def test_what_is_no_events(self):
        service, daemon = self.service_and_daemon(events=SOON)
        client = daemon.ofrep()
        for body in (b"{", b"", b'[{"kind":"custom"}', b"\xff\xfe"):
            answer = client.post("/bulk", body, AUTHORIZED)
            self.assertIn(answer.status, (400, 202), body)
        broken = client.post("/bulk", b"no gzip", {**AUTHORIZED, "Content-Encoding": "gzip"})
        self.assertIn(broken.status, (400, 202))
        bomb = gzip.compress(b"[" + b" " * (200 << 20) + b"]", 9)
        self.assertIn(client.post("/bulk", bomb, {**AUTHORIZED, "Content-Encoding": "gzip"}).status,
                      (202, 400, 413))
        self.post(daemon, [custom(1), {"kind": "from-the-future", "x": [1]}])
        service.await_posted(lambda b: events_of(b, "from-the-future"), "the good ones")
        self.assertEqual(len(events_of(service.posted())), 2)

    def test_diagnostics_go_on(self):
        service, daemon = self.service_and_daemon(events=SOON)
        init = {"kind": "diagnostic-init", "id": {"diagnosticId": "d1", "sdkKeySuffix": "one"},
                "creationDate": 1, "sdk": {"name": "x"}, "configuration": {}, "platform": {}}
        self.post(daemon, init, path="/diagnostic")
        service.await_posted(lambda b: b, "the diagnostic", path="/diagnostic")
        self.assertEqual(service.posted("/diagnostic")[0].events, [init])
        self.assertTrue(service.posted("/diagnostic")[0].payload_id)

    def test_a_diagnostic_that_comes_again_counts_once(self):
        service, daemon = self.service_and_daemon(events=SOON)
        first, second = ({"kind": "diagnostic", "id": {"diagnosticId": "d1"}, "creationDate": date,
                          "droppedEvents": 0} for date in (1, 2))
        client = daemon.ofrep()
        for event in (first, first, first, second):
            self.assertEqual(client.post("/diagnostic", event, AUTHORIZED).status, 202)
        batches = service.await_posted(lambda b: len(b) >= 2, "two diagnostics", path="/diagnostic")
        self.assertEqual(events_of(batches), [first, second])
        self.assertEqual(len(once_each(batches)), 2)

    def await_all_once(self, service, count):
        """A summary and a custom event of so many posts, the latter by number."""
        service.await_evaluations({"answer": count}, timeout=90)
        service.await_posted(lambda b: len(events_of(b, "custom")) >= count, "custom events",
                             timeout=90)
        self.assertEqual(service.summary_counts(), {("answer", 0, 1): count})
        self.assertEqual(sorted(e["data"]["number"] for e in events_of(service.posted(), "custom")),
                         list(range(count)))

    def check_an_outage(self, *behaviours):
        """During it 202s; after it everything once, under payload ids that stayed the same."""
        service, daemon = self.service_and_daemon(events=SOON)
        service.interfere("/bulk", sequence(*behaviours))
        for number in range(10):
            self.post(daemon, [summary({ONE: 1}), custom(number)])
        service.await_requests_to("/bulk", len(behaviours), timeout=90)
        service.heal()
        self.await_all_once(service, 10)
        return service

    def test_a_service_that_fails(self):
        self.check_an_outage(status(503), status(500), status(503))

    def test_an_answer_that_is_lost(self):
        service = self.check_an_outage(accepted_but_reset, accepted_but_reset)
        batches = service.posted()
        self.assertLess(len(once_each(batches)), len(batches), "it came again under its id")

    def test_a_key_that_is_refused_for_a_while(self):
        service, daemon = self.service_and_daemon(events=SOON)
        service.interfere("/bulk", status(401))
        self.post(daemon, [summary({ONE: 3})])
        service.await_requests_to("/bulk", 1)
        self.post(daemon, [summary({ONE: 4})])
        service.heal()
        # The key's file is written again, with the same key, while the next try is waited for.
        self.write("key", SDK_KEY + "\n")
        service.await_evaluations({"answer": 7}, timeout=120)
        self.assertEqual(service.summary_counts(), {("answer", 0, 1): 7})

    def in_a_wait_of_minutes(self):
        """A service that takes events again, and a daemon that does not know it yet."""
        service = self.service()
        daemon = self.flagstone(service, events=SOON)
        service.interfere("/bulk", status(403, [("Retry-After", "3600")]))
        self.post(daemon, [summary({ONE: 3})])
        daemon.await_log("events cannot be sent")
        service.heal()
        return service, daemon

    def test_a_key_that_is_written_again_ends_a_wait_of_minutes(self):
        service, _ = self.in_a_wait_of_minutes()

        def sent():
            # Again and again: how it was before is known from the first look on.
            self.write("key", SDK_KEY + "\n")
            return service.posted()
        self.eventually(sent, "the events", timeout=60)
        self.assertEqual(service.summary_counts(), {("answer", 0, 1): 3})

    def test_a_hang_up_ends_a_wait_of_minutes(self):
        service, daemon = self.in_a_wait_of_minutes()
        daemon.signal(signal.SIGHUP)
        service.await_evaluations({"answer": 3})
        self.assertEqual(service.summary_counts(), {("answer", 0, 1): 3})

    def test_an_outage_a_kill_and_a_restart(self):
        service, daemon = self.service_and_daemon(events=SOON)
        self.await_state_written(daemon)
        address = daemon.tcp_address
        service.die()
        for number in range(30):
            self.post(daemon, [summary({ONE: 1}), custom(number)])
        daemon.kill()
        daemon = self.flagstone(service, listen=address, events=SOON)
        for number in range(30, 40):
            self.post(daemon, [summary({ONE: 1}), custom(number)])
        daemon.kill()
        daemon = self.flagstone(service, listen=address, events=SOON)
        service.revive()
        self.await_all_once(service, 40)

    def test_a_kill_while_a_batch_is_under_way(self):
        service, daemon = self.service_and_daemon(events=SOON)
        self.await_state_written(daemon)
        address = daemon.tcp_address
        service.interfere("/bulk", hang())
        self.post(daemon, [summary({ONE: 9}), custom(1)])
        first = service.await_requests_to("/bulk", 1)[0]
        daemon.kill()
        service.heal()
        self.flagstone(service, listen=address, events=SOON)
        service.await_evaluations({"answer": 9}, timeout=60)
        self.assertEqual(service.summary_counts(), {("answer", 0, 1): 9})
        self.assertEqual(service.posted()[0].payload_id,
                         first.header("X-LaunchDarkly-Payload-ID"), "the same batch again")

    def test_a_stop_sends_what_there_is(self):
        service, daemon = self.service_and_daemon(events=SELDOM)
        self.post(daemon, [summary({ONE: 2}), custom(1)])
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(evaluations(service.posted()), {"answer": 2})

    def test_a_stop_sends_what_there_is_though_a_peer_stalls(self):
        service, daemon = self.service_and_daemon(events=SELDOM, process={"drain_time": "3s"})
        host, port = daemon.tcp_address.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as stalled:
            stalled.sendall(b"POST /bulk HTTP/1.1\r\nHost: localhost\r\nAuthorization: " +
                            SDK_KEY.encode() + b"\r\nContent-Length: 100\r\n\r\n[")
            self.post(daemon, [summary({ONE: 2}), custom(1)])
            self.assertEqual(daemon.stop(), 0)
        self.assertEqual(evaluations(service.posted()), {"answer": 2})

    def test_a_key_says_which_source_its_events_are_of(self):
        """Also one that was rotated a moment ago, or before a restart."""
        first, second = self.service(), self.service(keys=("sdk-second", "sdk-second-new"))
        environment = self.environment(first, events=SOON)
        environment["sources"] += self.environment(second, key="sdk-second",
                                                   key_file="second")["sources"]

        def start():
            return self.start_with({"listen": ["127.0.0.1:0"], "state": {"dir": self.path("state")},
                                    "environments": {"default": environment}})

        def numbers(service):
            return [e["data"]["number"] for e in events_of(service.posted(), "custom")]
        daemon = start()
        self.write("second", "sdk-second-new")
        self.post(daemon, [custom(1)], Authorization="sdk-second-new")
        self.post(daemon, [custom(2)])
        second.await_posted(lambda b: events_of(b, "custom"), "an event of the new key's")
        first.await_posted(lambda b: events_of(b, "custom"), "an event of the first one's")
        self.assertEqual(daemon.stop(), 0)
        daemon = start()
        self.post(daemon, [custom(3)], Authorization="sdk-second")
        second.await_posted(lambda b: len(events_of(b, "custom")) == 2, "one of the former key's")
        self.assertEqual((numbers(first), numbers(second)), ([2], [1, 3]))

    def test_what_is_not_summarized_goes_on_so(self):
        """PHP's SDK sends an event for each evaluation and has upstream add them up."""
        service, daemon = self.service_and_daemon(events=SOON)
        feature = {"kind": "feature", "key": "answer", "creationDate": 1, "value": "v1",
                   "variation": 0, "version": 1, "context": {"kind": "user", "key": "ada"}}
        self.post(daemon, [feature], **{"X-LaunchDarkly-Unsummarized": "true"})
        self.post(daemon, [custom(1)])
        service.await_posted(lambda b: len(b) == 2, "both kinds of batches")
        said = {batch.events[0]["kind"]: batch.headers.get("x-launchdarkly-unsummarized")
                for batch in service.posted()}
        self.assertEqual(said, {"feature": "true", "custom": None})

    def test_a_stop_without_upstream_keeps_it_for_the_next_start(self):
        service, daemon = self.service_and_daemon(events=SELDOM)
        self.await_state_written(daemon)
        service.die()
        self.post(daemon, [summary({ONE: 2}), custom(1)])
        self.assertEqual(daemon.stop(), 0)
        service.revive()
        self.flagstone(service, events=SOON)
        service.await_evaluations({"answer": 2}, timeout=60)

    def test_a_full_spool_gives_up_the_oldest_and_no_summaries(self):
        service, daemon = self.service_and_daemon(events={**SOON, "spool_limit": "1MiB"})
        service.interfere("/bulk", status(503))
        for number in range(300):
            # Random, so that it does not become small when it is packed.
            fill = base64.b64encode(random.Random(number).randbytes(10_000)).decode()
            daemon.ofrep().post("/bulk", [summary({ONE: 1}), {**custom(number), "fill": fill}],
                                {**AUTHORIZED, "X-LaunchDarkly-Event-Schema": "4",
                                 "X-LaunchDarkly-Payload-ID": str(uuid.uuid4())})
        daemon.await_metric("flagstone_events_dropped_total", 1)
        service.heal()
        service.await_evaluations({"answer": 200}, timeout=90)
        numbers = [e["data"]["number"] for e in events_of(service.posted(), "custom")]
        self.assertLess(len(numbers), 300)


class OwnEvaluations(LaunchDarklyTestCase):
    def test_summaries_and_index_events(self):
        service, daemon = self.service_and_daemon(events=SOON)
        client = daemon.ofrep()
        for _ in range(10):
            client.evaluate("answer")
            client.evaluate("by-plan", {"targetingKey": "ada", "plan": "paid"})
        client.evaluate("nobody")
        service.await_evaluations({"answer": 10, "by-plan": 10, "nobody": 1})
        self.assertEqual(service.summary_counts(), {
            ("answer", 0, 1): 10, ("by-plan", 1, 1): 10, ("nobody", None, None): 1})
        keys = sorted(e["context"]["key"] for e in events_of(service.posted(), "index"))
        self.assertEqual(keys, ["ada", "u"])

    def test_a_prerequisite_counts_too(self):
        service, daemon = self.service_and_daemon(events=SOON)
        daemon.ofrep().evaluate("needs-answer")
        service.await_evaluations({"needs-answer": 1})
        self.assertEqual(evaluations(service.posted()), {"needs-answer": 1, "answer": 1})

    def test_feature_events_of_tracked_flags(self):
        service = self.service(answering("seen", key="tracked", version=4, trackEvents=True),
                               answering("quiet", key="left-out", excludeFromSummaries=True))
        daemon = self.flagstone(service, events=SOON)
        for _ in range(3):
            daemon.ofrep().evaluate("tracked", {"targetingKey": "ada", "plan": "paid"})
            daemon.ofrep().evaluate("left-out")
        service.await_posted(lambda b: len(events_of(b, "feature")) >= 3, "feature events")
        feature = events_of(service.posted(), "feature")[0]
        self.assertEqual({name: feature[name] for name in ("key", "version", "variation", "value")},
                         {"key": "tracked", "version": 4, "variation": 0, "value": "seen"})
        self.assertEqual(feature["context"]["key"], "ada")
        service.await_evaluations({"tracked": 3})
        self.assertNotIn("left-out", evaluations(service.posted()))

    def test_what_the_operator_keeps_private(self):
        service = self.service(answering("seen", key="tracked", trackEvents=True))
        daemon = self.flagstone(service, events={
            **SOON, "private_attributes": ["email", "/address/street"],
            "omit_anonymous_contexts": True})
        client = daemon.ofrep()
        client.evaluate("tracked", {"targetingKey": "ada", "email": "SECRET", "plan": "paid",
                                    "address": {"street": "SECRET", "city": "c"}})
        client.evaluate("tracked", {"targetingKey": "nobody", "anonymous": True, "plan": "SECRET"})
        service.await_posted(lambda b: len(events_of(b, "feature")) == 2, "feature events")
        service.await_evaluations({"tracked": 2})
        shown = {"kind": "user", "key": "ada", "plan": "paid", "address": {"city": "c"},
                 "_meta": {"redactedAttributes": ["email", "/address/street"]}}
        batches = service.posted()
        self.assertEqual([e["context"] for e in events_of(batches, "index")], [shown])
        self.assertEqual(events_of(batches, "feature")[0]["context"], shown)
        self.assertNotIn("SECRET", json.dumps(events_of(batches)))
        # What apps post is as their SDKs made it.
        client.post("/bulk", [{**custom(1), "email": "theirs"}], AUTHORIZED)
        service.await_posted(lambda b: events_of(b, "custom"), "the app's event")
        self.assertEqual(events_of(service.posted(), "custom")[0]["email"], "theirs")

    def test_a_reload_keeps_more_private(self):
        service = self.service(answering("seen", key="tracked", trackEvents=True))
        daemon = self.flagstone(service, events=SOON)
        daemon.ofrep().evaluate("tracked", {"targetingKey": "a", "email": "shown"})
        name = service.uri().rsplit(":", 1)[1] + ".json"
        configuration = json.loads(pathlib.Path(self.path(name)).read_text())
        configuration["environments"]["default"]["events"]["private_attributes"] = ["email"]
        before = len(daemon.log)
        self.write(name, json.dumps(configuration))
        daemon.signal(signal.SIGHUP)
        daemon.await_log("taken over", since=before)
        daemon.ofrep().evaluate("tracked", {"targetingKey": "b", "email": "SECRET"})
        service.await_posted(lambda b: len(events_of(b, "feature")) == 2, "feature events")
        self.assertEqual([e["context"] for e in events_of(service.posted(), "feature")], [
            {"kind": "user", "key": "a", "email": "shown"},
            {"kind": "user", "key": "b", "_meta": {"redactedAttributes": ["email"]}}])
        service.await_evaluations({"tracked": 2})
        self.assertNotIn("SECRET", json.dumps(events_of(service.posted())))

    def test_while_another_vendors_flags_are_served_nothing_is_told(self):
        """A reload makes the environment LaunchDarkly's, which has no data yet."""
        service = self.service()
        for path in ("/sdk/stream", "/sdk/poll"):
            service.interfere(path, status(503))
        flagd = {"flags": {"local": {"state": "ENABLED", "variants": {"a": "a"},
                                     "defaultVariant": "a"}}}
        path = self.write("flags.json", json.dumps(flagd))
        daemon = self.start_with({"environments": {"default": {"sources": [{"uri": "file:" + path}]}}})
        before = len(daemon.log)
        self.write("flagstone.json", json.dumps({
            **json.loads(pathlib.Path(self.path("flagstone.json")).read_text()),
            "environments": {"default": self.environment(service, events=SOON)}}))
        daemon.await_log("taken over", since=before)
        client = daemon.ofrep()
        service.await_requests_to("/sdk/stream")
        for _ in range(3):
            self.assertEqual(client.evaluate("local").json["value"], "a")
            self.assertEqual(client.evaluate("flagds-own").status, 404)
        service.heal()
        daemon.await_value("v1")
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(set(evaluations(service.posted())), {"answer"})

    def test_mixed_with_what_apps_post(self):
        service, daemon = self.service_and_daemon(events=SOON)
        client = daemon.ofrep()
        client.evaluate("answer")
        client.post("/bulk", [summary({ONE: 5})], {**AUTHORIZED, "X-LaunchDarkly-Event-Schema": "4"})
        service.await_evaluations({"answer": 6})
        self.assertEqual(service.summary_counts(), {("answer", 0, 1): 6})

    def test_switched_off(self):
        service, daemon = self.service_and_daemon(events={**SOON, "enabled": False})
        daemon.ofrep().evaluate("answer")
        daemon.ofrep().post("/bulk", [custom(1)], {**AUTHORIZED, "X-LaunchDarkly-Event-Schema": "4"})
        service.await_posted(lambda b: events_of(b, "custom"), "the app's event")
        self.assertEqual(evaluations(service.posted()), {})

    def test_flushed_by_a_stop(self):
        service, daemon = self.service_and_daemon(events=SELDOM)
        for _ in range(4):
            daemon.ofrep().evaluate("answer", WHO)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(evaluations(service.posted()), {"answer": 4})


if __name__ == "__main__":
    main()
