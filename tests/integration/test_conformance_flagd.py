"""flagd's own test bed over the running daemon: 140 cases through OFREP, TCP and Unix socket by
turns. OFREP is untyped, so type errors are judged by the typed caller, as a provider does."""

import json
import os
import unittest

from daemon_test_case import SHARED, DaemonTestCase, main

CASES = os.path.join(SHARED, "conformance", "flagd")

# The test bed expects the caller's fallback without naming the error: the rule's result names no
# variant, which is GENERAL.
FALLBACK_BY_ERROR = {"fractional-nested-var-flag"}


def of_type(value, wanted):
    """What a typed provider makes of an untyped value; None when the type is wrong."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if wanted == "boolean" and isinstance(value, bool):
        return value
    if wanted == "string" and isinstance(value, str):
        return value
    if wanted == "integer" and number:
        return int(value)
    if wanted == "float" and number:
        return float(value)
    if wanted == "object" and isinstance(value, dict):
        return value
    return None


def resolve(answer, case):
    """(value, reason, errorCode) as a typed provider hands them to the app."""
    body = answer.json
    if answer.status != 200:
        return case["fallback"], "ERROR", body["errorCode"]
    if "value" not in body:
        return case["fallback"], body["reason"], None
    value = of_type(body["value"], case["type"])
    if value is None:
        return case["fallback"], "ERROR", "TYPE_MISMATCH"
    return value, body["reason"], None


@unittest.skipUnless(os.path.isdir(CASES), f"no conformance data at {CASES}")
class FlagdCases(DaemonTestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(CASES, "cases.json"), encoding="utf-8") as cases:
            cls.cases = json.load(cases)["cases"]

    def start_on_cases(self, *options):
        socket = self.path("f.sock")
        daemon = self.start("file:" + os.path.join(CASES, "flags.json"), options=options,
                            listen=("127.0.0.1:0", f"unix:{socket}"))
        return [daemon.ofrep(), daemon.unix(socket)]

    def check(self, cases, clients):
        for number, case in enumerate(cases):
            with self.subTest(number=number, flag=case["flag"], context=case["context"]):
                answer = clients[number % 2].evaluate(case["flag"], case["context"])
                value, reason, error = resolve(answer, case)
                expect = case["expect"]
                if "errorCode" in expect or case["flag"] not in FALLBACK_BY_ERROR:
                    self.assertEqual(error, expect.get("errorCode"), answer)
                if "value" in expect:
                    self.assertEqual(value, expect["value"], answer)
                if "reason" in expect:
                    self.assertEqual(reason, expect["reason"], answer)
                if "metadata" in expect:
                    self.assertEqual(answer.metadata, expect["metadata"])

    def test_all_cases_with_the_default_bucketing(self):
        cases = [case for case in self.cases if "@fractional-v1" not in case["tags"]]
        self.assertEqual(len(cases), 125)
        self.check(cases, self.start_on_cases())

    def test_v1_bucketing_cases(self):
        cases = [case for case in self.cases if "@fractional-v1" in case["tags"]]
        self.assertEqual(len(cases), 15)
        self.check(cases, self.start_on_cases("--fractional", "v1"))

    def test_bulk_gives_the_same_answers_as_single(self):
        client = self.start_on_cases()[0]
        context = {"targetingKey": "jon@company.com", "email": "ballmer@macrosoft.com",
                   "tier": "premium", "color": "red", "version": "1.0.0", "id": "abcdef"}
        answer = client.bulk(context)
        self.assertEqual(answer.status, 200)
        items = {item["key"]: item for item in answer.json["flags"]}
        with open(os.path.join(CASES, "flags.json"), encoding="utf-8") as flags:
            self.assertEqual(set(items), set(json.load(flags)["flags"]))
        for key, item in items.items():
            with self.subTest(key=key):
                single = client.evaluate(key, context).json
                self.assertEqual(item, single)


if __name__ == "__main__":
    main()
