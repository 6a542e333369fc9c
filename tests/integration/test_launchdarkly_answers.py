"""LaunchDarkly's flags by OpenFeature: what OFREP and flagd's gRPC services answer, context, reasons,
variants, metadata and errors as LaunchDarkly's own OpenFeature provider has them; pins; evalx."""

import base64
import json

from connect_client import ConnectStream, call
from launchdarkly_test_case import AUTHORIZED, FLAGS, LaunchDarklyTestCase, main
from launchdarkly_flags import answering, clause, compact, flag, rule, segment

EXPERIMENT = {"kind": "experiment", "contextKind": "user", "seed": 61,
              "variations": [{"variation": 0, "weight": 100000, "untracked": False}]}
ANSWER_FLAGS = [
    *FLAGS,
    flag("targeted", ("for ada", "else"), targets=[{"values": ["ada"], "variation": 0}],
         fallthrough={"variation": 1}),
    flag("prerequisite-off", ("x", "y"), on=False),
    flag("blocked", ("yes", "no"), prerequisites=[{"key": "prerequisite-off", "variation": 0}]),
    flag("experiment", ("a", "b"), fallthrough={"rollout": EXPERIMENT}),
    flag("no-off-value", ("a", "b"), on=False, offVariation=None),
    flag("malformed", ("a", "b"), fallthrough={"variation": 9}),
    flag("by-company", ("other", "acme"),
         rules=[rule(1, clause("name", "in", "Acme", contextKind="company"), identity="")]),
    flag("count", (3, 0)), flag("ratio", (0.5, 0)),
]
# (key, context) → members of OFREP's answer; metadata: these and no others of LaunchDarkly's.
CASES = [
    ("answer", {"targetingKey": "u"}, {"value": "v1", "variant": "0", "reason": "FALLTHROUGH"},
     {"variationIndex": 0}),
    ("by-plan", {"targetingKey": "u", "plan": "paid"},
     {"value": "full", "variant": "1", "reason": "RULE_MATCH"},
     {"variationIndex": 1, "ruleIndex": 0, "ruleId": "rule-1"}),
    ("targeted", {"targetingKey": "ada"},
     {"value": "for ada", "variant": "0", "reason": "TARGETING_MATCH"}, {"variationIndex": 0}),
    ("targeted", {"key": "ada"},
     {"value": "for ada", "variant": "0", "reason": "TARGETING_MATCH"}, {"variationIndex": 0}),
    ("targeted", {"targetingKey": "bob", "key": "ada"}, {"value": "else", "reason": "FALLTHROUGH"},
     {"variationIndex": 1}),
    ("off-flag", {"targetingKey": "u"}, {"value": "off", "variant": "1", "reason": "DISABLED"},
     {"variationIndex": 1}),
    ("blocked", {"targetingKey": "u"},
     {"value": "no", "variant": "1", "reason": "PREREQUISITE_FAILED"},
     {"variationIndex": 1, "prerequisiteKey": "prerequisite-off"}),
    ("experiment", {"targetingKey": "u"}, {"value": "a", "reason": "FALLTHROUGH"},
     {"variationIndex": 0, "inExperiment": True}),
    ("by-company", {"kind": "multi", "user": {"key": "u"}, "company": {"key": "c", "name": "Acme"}},
     {"value": "acme", "reason": "RULE_MATCH"}, {"variationIndex": 1, "ruleIndex": 0}),
    ("by-company", {"kind": "company", "targetingKey": "c", "name": "Acme"},
     {"value": "acme", "reason": "RULE_MATCH"}, {"variationIndex": 1, "ruleIndex": 0}),
    ("staff-only", {"targetingKey": "ada"}, {"value": True, "reason": "RULE_MATCH"},
     {"variationIndex": 0, "ruleIndex": 0, "ruleId": "rule-1"}),
]
ERRORS = [("nobody", {"targetingKey": "u"}, 404, "FLAG_NOT_FOUND"),
          ("malformed", {"targetingKey": "u"}, 400, "PARSE_ERROR"),
          ("answer", {}, 400, "TARGETING_KEY_MISSING"),
          ("answer", {"targetingKey": ""}, 400, "TARGETING_KEY_MISSING")]
OURS = ("variationIndex", "ruleIndex", "ruleId", "prerequisiteKey", "inExperiment",
        "bigSegmentsStatus")


def of_launchdarkly(metadata):
    return {name: value for name, value in metadata.items() if name in OURS}


class Answers(LaunchDarklyTestCase):
    def test_ofrep(self):
        client = self.flagstone(self.service(*ANSWER_FLAGS)).ofrep()
        for key, context, members, metadata in CASES:
            with self.subTest(key=key, context=context):
                answer = client.evaluate(key, context)
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual({name: answer.json.get(name) for name in members}, members)
                self.assertEqual(of_launchdarkly(answer.metadata), metadata)
        for key, context, status, code in ERRORS:
            with self.subTest(key=key, context=context):
                answer = client.evaluate(key, context)
                self.assertEqual((answer.status, answer.error_code), (status, code), answer)
        nothing = client.evaluate("no-off-value")
        self.assertEqual((nothing.status, nothing.json["reason"]), (200, "DISABLED"))
        self.assertNotIn("variant", nothing.json)
        self.assertIsNone(nothing.json.get("value"))

    def test_bulk_with_etag(self):
        service = self.service(*ANSWER_FLAGS)
        daemon = self.flagstone(service)
        client = daemon.ofrep()
        answer = client.bulk({"targetingKey": "ada"})
        found = {item["key"]: item for item in answer.json["flags"]}
        self.assertEqual(found["targeted"]["value"], "for ada")
        self.assertEqual(found["malformed"]["errorCode"], "PARSE_ERROR")
        self.assertEqual(found["blocked"]["reason"], "PREREQUISITE_FAILED")
        again = client.bulk({"targetingKey": "ada"}, {"If-None-Match": answer.header("ETag")})
        self.assertEqual(again.status, 304)
        service.set_flag(answering("v2", version=2))
        self.eventually(lambda: client.bulk(
            {"targetingKey": "ada"}, {"If-None-Match": answer.header("ETag")}).status == 200,
            "another ETag")

    def test_change_events(self):
        service = self.service()
        stream = self.subscribe(self.flagstone(service), "/ofrep/v1/sse")
        service.set_flag(answering("v2", version=2))
        while "refetch" not in (stream.next_event() or {"data": "refetch"})["data"]:
            pass

    def test_a_changed_segment_is_told_of_the_flags_that_refer_to_it(self):
        inner = clause("", "segmentMatch", "inner")
        service = self.service(
            *FLAGS, flag("needs-staff", prerequisites=[{"key": "staff-only", "variation": 0}]),
            segments=[segment("staff", rules=[{"clauses": [inner]}]), segment("inner")])
        daemon = self.flagstone(service)
        client = daemon.ofrep()
        refetches = self.subscribe(daemon, "/ofrep/v1/sse")
        stream = ConnectStream(client, "/flagd.evaluation.v1.Service/EventStream")
        self.addCleanup(stream.close)
        self.assertEqual(stream.next()["type"], "provider_ready")
        before = client.bulk({"targetingKey": "bob"}).header("ETag")
        service.set_segment(segment("inner", version=2, included=["bob"]))
        changed = {key: {"type": "update"} for key in ("needs-staff", "staff-only")}
        self.assertEqual(stream.next(), {"type": "configuration_change",
                                         "data": {"flags": changed}})
        while "refetch" not in (refetches.next_event() or self.fail("it ended"))["data"]:
            pass
        self.assertNotEqual(client.bulk({"targetingKey": "bob"}).header("ETag"), before)
        self.assertIs(client.value("staff-only", {"targetingKey": "bob"}), True)

    def test_grpc_services(self):
        client = self.flagstone(self.service(*ANSWER_FLAGS)).ofrep()
        for version in ("v1", "v2"):
            service = f"/flagd.evaluation.{version}.Service/"
            for key, context, members, metadata in CASES:
                method = "ResolveBoolean" if isinstance(members["value"], bool) else "ResolveString"
                with self.subTest(version=version, key=key, context=context):
                    answer = call(client, service + method, {"flagKey": key, "context": context})
                    self.assertEqual(answer.status, 200, answer)
                    self.assertEqual({name: answer.json.get(name) for name in members}, members)
                    self.assertEqual(of_launchdarkly(answer.metadata), metadata)
            for key, method, value in (("count", "ResolveInt", "3"), ("ratio", "ResolveFloat", 0.5)):
                answer = call(client, service + method,
                              {"flagKey": key, "context": {"targetingKey": "u"}})
                self.assertEqual(answer.json["value"], value)
            for key, method, code in (("nobody", "ResolveString", "not_found"),
                                      ("count", "ResolveString", "invalid_argument"),
                                      ("malformed", "ResolveString", "data_loss")):
                answer = call(client, service + method,
                              {"flagKey": key, "context": {"targetingKey": "u"}})
                self.assertEqual(answer.json["code"], code, answer)

    def test_evalx(self):
        service = self.service(*ANSWER_FLAGS, answering("seen", key="tracked", trackEvents=True,
                                                        debugEventsUntilDate=4102444800000))
        client = self.flagstone(service).ofrep()
        context = {"kind": "user", "key": "ada"}
        segment = base64.urlsafe_b64encode(compact(context).encode()).decode().rstrip("=")
        answers = [client.get(f"/sdk/evalx/contexts/{segment}", AUTHORIZED),
                   client.get(f"/sdk/evalx/users/{segment}", AUTHORIZED),
                   client.request("REPORT", "/sdk/evalx/context", compact(context),
                                  {**AUTHORIZED, "Content-Type": "application/json"})]
        for answer in answers:
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(answer.json, answers[0].json)
        found = answers[0].json
        self.assertEqual(found["targeted"], {"value": "for ada", "variation": 0, "version": 1,
                                             **extras(found["targeted"])})
        self.assertEqual(found["tracked"]["trackEvents"], True)
        self.assertEqual(found["tracked"]["debugEventsUntilDate"], 4102444800000)
        self.assertEqual(found["blocked"]["prerequisites"], ["prerequisite-off"])
        self.assertIsNone(found["malformed"]["value"])
        self.assertNotIn("reason", found["answer"])
        reasons = client.get(f"/sdk/evalx/contexts/{segment}?withReasons=true", AUTHORIZED).json
        self.assertEqual(reasons["answer"]["reason"], {"kind": "FALLTHROUGH"})
        self.assertEqual(reasons["staff-only"]["reason"],
                         {"kind": "RULE_MATCH", "ruleIndex": 0, "ruleId": "rule-1"})
        for bad in ("%%%", base64.urlsafe_b64encode(b'{"kind":"user"}').decode()):
            self.assertEqual(client.get("/sdk/evalx/contexts/" + bad, AUTHORIZED).status, 400)

    def test_a_context_by_default_where_one_is_configured(self):
        daemon = self.flagstone(self.service(*ANSWER_FLAGS),
                                process={"context_values": {"plan": "paid"}})
        self.assertEqual(daemon.ofrep().value("by-plan"), "full")


def extras(entry):
    """What may come on top: a flag's own version beside that of the answer."""
    return {name: entry[name] for name in ("flagVersion",) if name in entry}


class Pins(LaunchDarklyTestCase):
    def test_setting_and_lifting_a_pin_reaches_every_way_of_asking(self):
        service = self.service()
        self.write("pins.json", '{"answer": "pinned", "brand-new": {"deep": [1]}}')
        daemon = self.flagstone(service, pins="pins.json")
        client = daemon.ofrep()
        self.assertEqual(client.value("answer"), "pinned")
        self.assertEqual(client.value("brand-new"), {"deep": [1]})
        stream = self.subscribe(daemon)
        flags = self.next_data(stream, "put")["data"]["flags"]
        self.check_pinned(flags["answer"], "pinned")
        self.check_pinned(flags["brand-new"], {"deep": [1]})
        service.set_flag(answering("v2", version=2))
        self.write("pins.json", "{}")
        flags = self.next_put(stream)
        self.assertEqual(flags["answer"]["variations"], ["v2", "off"])
        self.assertNotIn("brand-new", flags)
        daemon.await_value("v2")
        self.write("pins.json", '{"off-flag": true}')
        self.check_pinned(self.next_put(stream)["off-flag"], True)

    def next_put(self, stream):
        while True:
            event = stream.next_event()
            self.assertIsNotNone(event, "the stream ended")
            if event["event"] == "put":
                return json.loads(event["data"])["data"]["flags"]

    def check_pinned(self, found, value):
        """An off flag whose off variation is that value: every SDK evaluates it to that."""
        self.assertIs(found["on"], False)
        self.assertEqual(found["variations"][found["offVariation"]], value)


if __name__ == "__main__":
    main()
