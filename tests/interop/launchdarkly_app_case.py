"""What the tests of LaunchDarkly's SDKs have in common: apps, and what each has to make of the flags."""

from interop_test_case import HERE, main  # noqa: F401
from launchdarkly_client import LaunchDarklyClient
from launchdarkly_test_case import SDK_KEY, LaunchDarklyTestCase

# (key, context) → value, variation index, kind of reason.
CASES = [
    ("answer", None, ("v1", 0, "FALLTHROUGH")),
    ("by-plan", {"kind": "user", "key": "u", "plan": "paid"}, ("full", 1, "RULE_MATCH")),
    ("by-plan", {"kind": "user", "key": "u", "plan": "free"}, ("basic", 0, "FALLTHROUGH")),
    ("staff-only", {"kind": "user", "key": "ada"}, (True, 0, "RULE_MATCH")),
    ("staff-only", {"kind": "user", "key": "bob"}, (False, 1, "FALLTHROUGH")),
    ("off-flag", None, ("off", 1, "OFF")),
    ("needs-answer", None, ("yes", 0, "FALLTHROUGH")),
    ("ünïcode/☃ \"key\"", None, ({"a": [1, None, "\u2028"]}, 0, "FALLTHROUGH")),
]


class LaunchDarklyAppCase(LaunchDarklyTestCase):
    def app(self, language, uri, key=SDK_KEY, wait=True, **options):
        client = LaunchDarklyClient(language, uri, key, **options)
        self.addCleanup(client.close)
        if wait:
            self.assertTrue(client.started(), "the SDK had no data in time")
        return client

    def check_evaluations(self, client):
        for key, context, expected in CASES:
            with self.subTest(language=client.language, key=key, context=context):
                found = client.variation(key, context)
                self.assertEqual((found["value"], found["variation"], found["reason"]["kind"]),
                                 expected, found)
