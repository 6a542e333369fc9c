"""JSONTestSuite over the running daemon: every y_ text is read and every n_ text refused, as a
variant's value in a document and as an attribute of an evaluation context."""

import json
import os
import unittest

from daemon_test_case import SHARED, DaemonTestCase, main
from flag_documents import encoded, flags

TEXTS = os.path.join(SHARED, "conformance", "json")


def texts(prefix):
    for name in sorted(os.listdir(TEXTS)):
        if name.startswith(prefix):
            with open(os.path.join(TEXTS, name), "rb") as text:
                yield name, text.read()


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def is_json(text):
    """Whether a text became JSON by what was put around it (`1}` inside `{"x":` does not)."""
    try:
        json.loads(text.decode("utf-8"), parse_constant=refuse_constant)
        return True
    except (ValueError, RecursionError):
        return False


def as_context(text):
    return b'{"context":{"x":' + text + b"}}"


def as_flag(name, text):
    return (json.dumps(name).encode() +
            b':{"state":"ENABLED","variants":{"v":' + text + b'},"defaultVariant":"v"}')


def as_document(*members):
    return b'{"flags":{' + b",".join(members) + b"}}"


@unittest.skipUnless(os.path.isdir(TEXTS), f"no conformance data at {TEXTS}")
class JsonTexts(DaemonTestCase):
    def test_contexts(self):
        self.write("flags.json", encoded(flags({"answer": "x"})))
        client = self.start("file:flags.json").ofrep()
        url = "/ofrep/v1/evaluate/flags/answer"
        for name, text in texts("y_"):
            with self.subTest(name=name):
                answer = client.post(url, as_context(text))
                self.assertEqual(answer.status, 200, answer)
        for name, text in texts("n_"):
            body = as_context(text)
            if is_json(body):
                continue
            with self.subTest(name=name):
                answer = client.post(url, body)
                self.assertEqual(answer.status, 400, answer)
                self.assertIn(answer.error_code, ("INVALID_CONTEXT", "PARSE_ERROR"))
        # Either, but an answer, and one that is JSON.
        for name, text in texts("i_"):
            with self.subTest(name=name):
                answer = client.post(url, as_context(text))
                self.assertIn(answer.status, (200, 400))
                self.assertIsInstance(answer.json, dict)

    def test_good_texts_in_a_document(self):
        members = [as_flag(name, text) for name, text in texts("y_")]
        self.write("flags.json", as_document(*members))
        client = self.start("file:flags.json").ofrep()
        values = client.bulk_values()
        self.assertEqual(len(values), len(members))
        for name, text in texts("y_"):
            with self.subTest(name=name):
                self.assertEqual(values[name], json.loads(text))

    def test_bad_texts_in_a_document(self):
        self.write("flags.json", encoded(flags({"answer": 0})))
        daemon = self.start("file:flags.json")
        client = daemon.ofrep()
        tried = 0
        for name, text in texts("n_"):
            document = as_document(as_flag("answer", b"1"), as_flag("probe", text))
            if is_json(document):
                continue
            tried += 1
            with self.subTest(name=name):
                refused = refusals(daemon)
                self.write("flags.json", document)
                self.eventually(lambda before=refused: refusals(daemon) > before, "a refusal")
                self.assertEqual(client.value("answer"), 0)
                self.assertEqual(client.evaluate("probe").error_code, "FLAG_NOT_FOUND")
        self.assertGreater(tried, 150)
        self.write("flags.json", encoded(flags({"answer": 2})))
        daemon.await_value(2)


def refusals(daemon):
    """Counted by the source (not a document) or by the keeper (not to be published)."""
    return (daemon.failures() +
            daemon.metric("flagstone_updates_total", result="refused"))


if __name__ == "__main__":
    main()
