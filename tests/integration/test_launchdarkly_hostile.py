"""LaunchDarkly's service, or somebody in its place, says what it should not: cut, endless, split,
wrong, huge. Whatever comes, the last good answers stay, and nothing grows without bound."""

import time
import urllib.parse

from launchdarkly_test_case import LaunchDarklyTestCase, main
from behaviours import garbage, send_chunk, status, truncated
from launchdarkly_flags import answering, clause, compact, flag, rule, segment
from launchdarkly_streams import server_sent

HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n")
GOOD = '{"flags":{"answer":%s},"segments":{}}' % compact(answering("v2", version=2))
FULL_PUT = server_sent("put", {"path": "/", "data": {"flags": {
    "answer": answering("never", version=9)}, "segments": {}}})
PROTOCOLS = (("fdv1", "/all"), ("fdv2", "/sdk/stream"))
ENDLESS = {"/all": b'event: put\ndata: {"path":"/","data":{"flags":{"answer":{"salt":"',
           "/sdk/stream": b'event: put-object\ndata: {"version":9,"kind":"flag","key":"answer",'
                          b'"object":{"salt":"'}
QUIET = {"/all": "/sdk/latest-all", "/sdk/stream": "/sdk/poll"}


def says(data, then_close=True):
    """A stream that says exactly this."""
    def behave(exchange):
        exchange.send(HEAD)
        send_chunk(exchange, data)
        if not then_close:
            exchange.wait_for_end()
        exchange.close()
    return behave


def endless(start):
    """An event whose data never ends."""
    def behave(exchange):
        exchange.send(HEAD + b"%x\r\n%s\r\n" % (len(start), start))
        block = b"A" * (1 << 16)
        try:
            while exchange.upstream.open:
                send_chunk(exchange, block)
        finally:
            exchange.close()
    return behave


WRONG = {
    "/all": {
        "cut in an event": FULL_PUT[:len(FULL_PUT) // 2],
        "cut before the empty line": FULL_PUT[:-1],
        "no JSON": server_sent("put", 1).replace(b"1", b"{{{"),
        "another shape": server_sent("put", {"path": "/", "data": {"flags": [1, 2]}}),
        "no data": server_sent("put", {"path": "/"}),
        "null flags": server_sent("put", {"path": "/", "data": {"flags": None}}),
        "a patch of nothing": server_sent("patch", {"path": "/flags/answer"}),
        "a flag that is a list": server_sent("patch", {"path": "/flags/answer", "data": []}),
        "bad UTF-8": FULL_PUT.replace(b"never", b"n\xff\xfever"),
        "NUL": FULL_PUT.replace(b"never", b"n\0ver"),
    },
    "/sdk/stream": {
        "transferred without intent": server_sent("payload-transferred",
                                                  {"state": "(p:x:9)", "version": 9}),
        "intent without payloads": server_sent("server-intent", {"payloads": []}),
        "unknown intent": server_sent("server-intent", {"payloads": [
            {"id": "p", "target": 1, "intentCode": "xfer-sideways", "reason": "x"}]}),
        "no JSON": b"event: put-object\ndata: {{{\n\n",
        "put without object": server_sent("put-object", {"version": 1, "kind": "flag", "key": "a"}),
        "cut in a transfer": server_sent("server-intent", {"payloads": [
            {"id": "p", "target": 1, "intentCode": "xfer-full", "reason": "payload-missing"}]})
        + server_sent("put-object", {"version": 9, "kind": "flag", "key": "answer",
                                     "object": answering("never", version=9)}),
    },
}


class Streams(LaunchDarklyTestCase):
    def test_every_wrong_word_keeps_the_old_answers_and_heals(self):
        for protocol, path in PROTOCOLS:
            services = {name: self.service() for name in WRONG[path]}
            daemon = self.start_with({"state": {"dir": self.path(protocol)}, "environments": {
                f"e{number}": self.environment(service, source={"protocol": protocol},
                                               listen=["unix:" + self.path(f"{protocol}{number}")])
                for number, service in enumerate(services.values())}}, name=protocol + ".json")
            for name, service in services.items():
                service.interfere(QUIET[path], status(503))
                service.interfere(path, says(WRONG[path][name], then_close="cut" in name))
                service.end_streams()
            clients = [daemon.unix(self.path(f"{protocol}{number}")) for number in range(len(services))]
            for (name, service), client in zip(services.items(), clients):
                with self.subTest(protocol=protocol, word=name):
                    service.await_requests_to(path, 3)
                    self.assertEqual(client.value(), "v1")
            for service in services.values():
                service.heal()
                service.set_flag(answering("v2", version=2))
            for name, client in zip(services, clients):
                with self.subTest(protocol=protocol, word=name, healed=True):
                    self.eventually(lambda c=client: c.value() == "v2", "healing", timeout=60)

    def test_split_at_every_byte(self):
        for protocol, path in PROTOCOLS:
            with self.subTest(protocol=protocol):
                service = self.service()
                service.piece = 1
                daemon = self.flagstone(service, source={"protocol": protocol})
                key = urllib.parse.quote('ünïcode/☃ "key"', safe="")
                self.assertEqual(daemon.ofrep().value(key), {"a": [1, None, "\u2028"]})
                service.set_flag(answering("v2", version=2))
                daemon.await_value("v2")
                self.assertEqual(daemon.failures(), 0)

    def test_lines_that_end_in_every_way(self):
        for number, end in enumerate((b"\n", b"\r\n", b"\r")):
            with self.subTest(end=end):
                service = self.service()
                put = b"\xef\xbb\xbf: hello" + end + b"event:put" + end + b"data: {" + end + (
                    b'data:"data":' + GOOD.encode() + b"}" + end + end)
                service.interfere("/all", says(put, then_close=False))
                daemon = self.flagstone(service, source={"protocol": "fdv1"})
                self.assertEqual(daemon.ofrep().value(), "v2")
                service.heal()

    def test_an_endless_event_costs_no_memory(self):
        for protocol, path in PROTOCOLS:
            with self.subTest(protocol=protocol):
                service, daemon = self.service_and_daemon(source={
                    "protocol": protocol, "max_document_bytes": "4MiB"})
                before = daemon.memory_kib()
                service.interfere(QUIET[path], status(503))
                service.interfere(path, endless(ENDLESS[path]))
                service.end_streams()
                daemon.await_failure("too_large", "malformed", at_least=2)
                self.assertEqual(daemon.ofrep().value(), "v1")
                if not daemon.sanitized:
                    self.assertLess(daemon.memory_kib("VmHWM") - before, 32 * 1024)
                service.heal()
                service.set_flag(answering("v2", version=2))
                self.eventually(lambda d=daemon: d.ofrep().value() == "v2", "healing", timeout=90)

    def test_no_http_and_half_a_document(self):
        service = self.service(fdv2=False)
        daemon = self.flagstone(service, source={"protocol": "fdv1", "streaming": False})
        for behaviour in (garbage(), truncated(GOOD.encode(), '"x"')):
            before = daemon.failures()
            service.interfere("/sdk/latest-all", behaviour)
            self.eventually(lambda b=before: daemon.failures() > b, "a failure")
            self.assertEqual(daemon.ofrep().value(), "v1")
        service.heal()
        service.set_flag(answering("v2", version=2))
        daemon.await_value("v2")


def chain(length, last):
    """Flags that each have the next as prerequisite; the last one has `last`."""
    return [flag(f"p{n}", ("yes", "no"), prerequisites=[
        {"key": f"p{n + 1}" if n + 1 < length else last, "variation": 0}]) for n in range(length)]


class Contents(LaunchDarklyTestCase):
    def test_fifty_thousand_targets_in_a_segment(self):
        included = [f"user-{n}" for n in range(50_000)]
        service = self.service(flag("big", rules=[rule(0, clause("", "segmentMatch", "big"))],
                                    fallthrough={"variation": 1}), answering("v1"),
                               segments=[segment("big", included=included)])
        daemon = self.flagstone(service)
        client = daemon.ofrep()
        self.assertIs(client.value("big", {"targetingKey": "user-49999"}), True)
        self.assertIs(client.value("big", {"targetingKey": "user-50000"}), False)
        service.set_segment(segment("big", version=2, included=included[:-1]))
        self.eventually(lambda: client.value("big", {"targetingKey": "user-49999"}) is False,
                        "the segment's change")

    def test_circles_and_long_chains(self):
        service = self.service(
            answering("v1"), *chain(50, "answer"),
            flag("circle-a", prerequisites=[{"key": "circle-b", "variation": 0}]),
            flag("circle-b", prerequisites=[{"key": "circle-a", "variation": 0}]),
            flag("self", prerequisites=[{"key": "self", "variation": 0}]),
            flag("segment-circle", rules=[rule(0, clause("", "segmentMatch", "ring-0"))]),
            segments=[segment(f"ring-{n}", rules=[{"id": "r", "clauses": [
                clause("", "segmentMatch", f"ring-{(n + 1) % 20}")]}]) for n in range(20)])
        client = self.flagstone(service).ofrep()
        self.assertEqual(client.value("p0"), "yes")
        for key in ("circle-a", "circle-b", "self", "segment-circle"):
            answer = client.evaluate(key)
            self.assertEqual(answer.error_code, "PARSE_ERROR", key)
        self.assertEqual(client.value("answer"), "v1")

    def test_a_chain_of_ten_thousand(self):
        service = self.service(answering("v1"), *chain(10_000, "answer"))
        daemon = self.flagstone(service)
        answer = daemon.ofrep().evaluate("p0")
        self.assertIn(answer.status, (200, 400))
        self.assertEqual(daemon.ofrep().value("p9990"), "yes")
        self.assertTrue(daemon.alive)

    def test_regular_expressions_that_explode(self):
        service = self.service(flag("regex", rules=[
            rule(0, clause("name", "matches", "(a+)+$", "(a|a)*b", "(x" * 500 + ")" * 500,
                           "[", "(?<=a)b", "a{1000}{1000}"))], fallthrough={"variation": 1}),
            answering("v1"))
        daemon = self.flagstone(service)
        started = time.monotonic()
        answer = daemon.ofrep().evaluate("regex", {"targetingKey": "u", "name": "a" * 100_000 + "!"})
        self.assertEqual(answer.value, False)
        # Backtracking would take longer than the universe has.
        self.assertLess(time.monotonic() - started, 20)

    def test_huge_contexts(self):
        daemon = self.flagstone(self.service(), process={"request_body_limit": "1MB"})
        client = daemon.ofrep()
        wide = {"targetingKey": "u", **{f"attribute-{n}": "x" * 50 for n in range(10_000)}}
        self.assertEqual(client.value("answer", wide), "v1")
        multi = {"kind": "multi", **{f"kind-{n}": {"key": str(n)} for n in range(2_000)}}
        self.assertIn(client.evaluate("answer", multi).status, (200, 400))
        deep = value = {"targetingKey": "u"}
        for _ in range(100):
            value["down"] = value = {}
        self.assertEqual(client.value("answer", deep), "v1")
        self.assertEqual(client.evaluate("answer", {"targetingKey": "u" * 2_000_000}).status, 413)
        self.assertEqual(client.value("answer", {"targetingKey": "u" * 500_000}), "v1")

    def test_flags_of_every_wrong_type_harm_only_themselves(self):
        wrong = {"on": "yes", "variations": {}, "fallthrough": [], "rules": [{"clauses": 1}],
                 "targets": 7, "prerequisites": [None], "offVariation": "1", "salt": 3}
        service = self.service(answering("v1"))
        daemon = self.flagstone(service)
        for name, value in wrong.items():
            service.set_flag(flag("bad-" + name, **{name: value}))
        service.set_flag(answering("v2", version=2))
        daemon.await_value("v2")
        for name in wrong:
            with self.subTest(member=name):
                answer = daemon.ofrep().evaluate("bad-" + name)
                self.assertIn(answer.status, (200, 400, 404))
        self.assertTrue(daemon.alive)


if __name__ == "__main__":
    main()
