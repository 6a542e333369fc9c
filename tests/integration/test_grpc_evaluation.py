"""flagd's evaluation services over the running daemon: flagd's own test bed through every protocol
that HTTP/1.1 carries (Connect in JSON and protobuf, gRPC-Web), by a codec written for the tests."""

import base64
import json
import os
import struct
import unittest

from daemon_test_case import SHARED, DaemonTestCase, main
from flag_documents import encoded, flag
from protobuf_values import read_answer, read_structure, fields, resolve_request

CASES = os.path.join(SHARED, "conformance", "flagd")
METHODS = {"boolean": "ResolveBoolean", "string": "ResolveString", "integer": "ResolveInt",
           "float": "ResolveFloat", "object": "ResolveObject"}
# What the services call OpenFeature's error codes.
CODES = {"FLAG_NOT_FOUND": "not_found", "TYPE_MISMATCH": "invalid_argument",
         "PARSE_ERROR": "data_loss", "GENERAL": "unknown"}
GRPC_CODES = {"2": "unknown", "3": "invalid_argument", "5": "not_found", "15": "data_loss"}
FALLBACK_BY_ERROR = {"fractional-nested-var-flag"}


def connect_json(client, path, key, context, headers=None):
    answer = client.post(path, {"flagKey": key, "context": context}, headers)
    if answer.status != 200:
        return answer.json["code"], None
    message = answer.json
    if path.endswith("ResolveInt") and "value" in message:
        assert isinstance(message["value"], str), message
        message["value"] = int(message["value"])
    return None, message


def connect_proto(client, path, key, context, headers=None):
    answer = client.post(path, resolve_request(key, context),
                         {"Content-Type": "application/proto", **(headers or {})})
    if answer.status != 200:
        return answer.json["code"], None
    return None, read_answer(path.rsplit("/", 1)[1], answer.body)


def grpc_web(client, path, key, context, headers=None, text=False):
    message = resolve_request(key, context)
    body = struct.pack(">BI", 0, len(message)) + message
    kind = "application/grpc-web-text" if text else "application/grpc-web+proto"
    answer = client.post(path, base64.b64encode(body) if text else body,
                         {"Content-Type": kind, **(headers or {})})
    assert answer.status == 200, answer
    rest, messages, trailers = answer.body, [], {}
    if text:
        rest = base64.b64decode(rest)
    while rest:
        flags, size = struct.unpack(">BI", rest[:5])
        part, rest = rest[5:5 + size], rest[5 + size:]
        if flags & 0x80:
            for line in part.decode().split("\r\n"):
                name, _, content = line.partition(":")
                trailers[name] = content.strip()
        else:
            messages.append(part)
    if trailers["grpc-status"] != "0":
        return GRPC_CODES[trailers["grpc-status"]], None
    return None, read_answer(path.rsplit("/", 1)[1], messages[0])


def grpc_web_text(*arguments, **named):
    return grpc_web(*arguments, text=True, **named)


PROTOCOLS = (connect_json, connect_proto, grpc_web, grpc_web_text)


@unittest.skipUnless(os.path.isdir(CASES), f"no conformance data at {CASES}")
class FlagdCases(DaemonTestCase):
    def setUp(self):
        super().setUp()
        socket = self.path("f.sock")
        self.daemon = self.start("file:" + os.path.join(CASES, "flags.json"),
                                 listen=("127.0.0.1:0", f"unix:{socket}"))
        self.clients = [self.daemon.ofrep(), self.daemon.unix(socket)]
        with open(os.path.join(CASES, "cases.json"), encoding="utf-8") as cases:
            self.cases = [case for case in json.load(cases)["cases"]
                          if "@fractional-v1" not in case["tags"]]

    def judge(self, case, code, message):
        expect = case["expect"]
        if code is not None:
            self.assertIn(code, CODES.values())
            if "errorCode" in expect or case["flag"] not in FALLBACK_BY_ERROR:
                self.assertEqual(code, CODES.get(expect.get("errorCode")))
            value, reason = case["fallback"], "ERROR"
        else:
            self.assertNotIn("errorCode", expect)
            value, reason = message.get("value", case["fallback"]), message["reason"]
        if "value" in expect:
            self.assertEqual(value, expect["value"], message)
        if "reason" in expect:
            self.assertEqual(reason, expect["reason"], message)
        if "metadata" in expect:
            self.assertEqual(message["metadata"], expect["metadata"])

    def test_v2_by_every_protocol(self):
        self.assertEqual(len(self.cases), 125)
        for protocol in PROTOCOLS:
            for number, case in enumerate(self.cases):
                path = "/flagd.evaluation.v2.Service/" + METHODS[case["type"]]
                with self.subTest(protocol.__name__, flag=case["flag"], context=case["context"]):
                    self.judge(case, *protocol(self.clients[number % 2], path, case["flag"],
                                               case["context"]))

    def test_v1_and_the_old_service_answer_alike_where_there_is_a_value(self):
        for case in self.cases:
            method = METHODS[case["type"]]
            newest = connect_proto(self.clients[0], "/flagd.evaluation.v2.Service/" + method,
                                   case["flag"], case["context"])
            if newest[0] is None and "value" not in newest[1]:
                continue
            zero = newest[1] is not None and not newest[1]["value"]
            for package in ("flagd.evaluation.v1", "schema.v1"):
                with self.subTest(package, flag=case["flag"], context=case["context"]):
                    older = connect_proto(self.clients[1], f"/{package}.Service/{method}",
                                          case["flag"], case["context"])
                    if zero:  # Without `optional`, a zero is not sent.
                        older[1]["value"] = newest[1]["value"]
                    self.assertEqual(older, newest)

    def test_all_gives_the_same_answers_as_single(self):
        client = self.clients[0]
        context = {"targetingKey": "jon@company.com", "email": "ballmer@macrosoft.com",
                   "tier": "premium", "color": "red", "version": "1.0.0", "id": "abcdef"}
        answer = client.post("/flagd.evaluation.v1.Service/ResolveAll", {"context": context})
        self.assertEqual(answer.status, 200, answer)
        flags = answer.json["flags"]
        self.assertGreater(len(flags), 20)
        members = {"boolValue": "ResolveBoolean", "stringValue": "ResolveString",
                   "doubleValue": "ResolveFloat", "objectValue": "ResolveObject"}
        for key, item in flags.items():
            value = [member for member in item if member in members]
            if item["reason"] == "DISABLED":
                self.assertEqual(value, [])
                continue
            with self.subTest(flag=key):
                code, message = connect_json(
                    client, "/flagd.evaluation.v1.Service/" + members[value[0]], key, context)
                self.assertIsNone(code)
                self.assertEqual(message, {"value": item.pop(value[0]), **item})


class Contexts(DaemonTestCase):
    """Static context and context from headers, in every api."""

    RULE = {"if": [{"==": [{"var": "tier"}, "gold"]}, "yes",
                   {"==": [{"var": "tier"}, "lead"]}, "never", None]}

    def setUp(self):
        super().setUp()
        whole = {"flags": {"answer": flag("no", "no", targeting=self.RULE)}}
        whole["flags"]["answer"]["variants"].update(yes="yes", never="never")
        self.write("flags.json", encoded(whole))

    def values(self, daemon, context, headers=None):
        client = daemon.ofrep()
        path = "/{}.Service/ResolveString"
        bulk = client.post("/flagd.evaluation.v1.Service/ResolveAll", {"context": context}, headers)
        proto = client.post("/flagd.evaluation.v1.Service/ResolveAll", b"",
                            {"Content-Type": "application/proto", **(headers or {})})
        self.assertEqual(proto.status, 200)
        keys = [dict(fields(entry))[1] for number, entry in fields(proto.body) if number == 1]
        self.assertEqual(keys, [b"answer"])
        self.assertEqual([read_structure(content) for number, content in fields(proto.body)
                          if number == 2], [{}])
        return [client.evaluate("answer", context, headers).value,
                client.bulk_values(context, headers)["answer"],
                bulk.json["flags"]["answer"]["stringValue"],
                connect_json(client, path.format("flagd.evaluation.v2"), "answer", context,
                             headers)[1]["value"],
                connect_proto(client, path.format("schema.v1"), "answer", context,
                              headers)[1]["value"]]

    def test_headers_win_over_static_values_and_those_over_the_request(self):
        daemon = self.start("file:flags.json", options=(
            "--context-value", "tier=gold", "--context-from-header", "X-Tier=tier"))
        self.assertEqual(self.values(daemon, {"tier": "lead"}), ["yes"] * 5)
        # The old service knows no context from headers.
        self.assertEqual(self.values(daemon, {}, {"x-tier": "lead"}), ["never"] * 4 + ["yes"])

    def test_the_bulk_etag_knows_the_mapped_headers(self):
        client = self.start("file:flags.json", options=(
            "--context-from-header", "X-Tier=tier")).ofrep()
        etags = {tier: client.bulk(headers={"x-tier": tier, "x-other": tier}).header("ETag")
                 for tier in ("gold", "lead")}
        self.assertNotEqual(etags["gold"], etags["lead"])
        again = client.bulk(headers={"x-tier": "gold", "x-other": "y",
                                     "If-None-Match": etags["gold"]})
        self.assertEqual(again.status, 304)

    def test_loose_types_cast_by_option_only(self):
        self.write("digit.json", encoded({"flags": {"digit": flag("7")}}))
        path = "/flagd.evaluation.v1.Service/ResolveInt"
        strict = self.start("file:digit.json", state="strict").ofrep()
        self.assertEqual(connect_json(strict, path, "digit", {}), ("invalid_argument", None))
        loose = self.start("file:digit.json", options=("--loose-types",), state="loose").ofrep()
        self.assertEqual(connect_proto(loose, path, "digit", {})[1]["value"], 7)


if __name__ == "__main__":
    main()
