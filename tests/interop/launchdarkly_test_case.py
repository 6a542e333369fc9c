"""What the tests of LaunchDarkly's SDKs have in common: its stand-in upstream, a daemon on it, apps."""

from interop_test_case import InteropTestCase
from launchdarkly_client import LaunchDarklyClient
from launchdarkly_flags import answering, clause, flag, rule, segment
from launchdarkly_service import SDK_KEY, LaunchDarklyService

# Some of everything that an SDK decides by itself.
FLAGS = [
    answering("v1"),
    flag("by-plan", ("basic", "full"), rules=[rule(1, clause("plan", "in", "paid"))]),
    flag("staff-only", rules=[rule(0, clause("", "segmentMatch", "staff"))],
         fallthrough={"variation": 1}),
    flag("off-flag", ("on", "off"), on=False),
    flag("needs-answer", ("yes", "no"), prerequisites=[{"key": "answer", "variation": 0}]),
    flag("ünïcode/☃ \"key\"", ({"a": [1, None, "\u2028"]}, None)),
]
SEGMENTS = [segment("staff", included=["ada"])]
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


class LaunchDarklyTestCase(InteropTestCase):
    def service(self, *flags, **more):
        made = LaunchDarklyService(*(flags or FLAGS), segments=SEGMENTS, **more)
        self.addCleanup(made.close)
        return made

    def environment(self, service, key_file=None, source=(), **environment):
        """An environment of LaunchDarkly's dialect on that service."""
        return {"dialect": "launchdarkly",
                "sources": [{"uri": service.uri(), "interval": "200ms",
                             "credential_file": key_file or self.write("key", SDK_KEY),
                             **dict(source)}],
                **environment}

    def flagstone(self, service, listen="127.0.0.1:0", wait="ready", source=(), process=(),
                  **environment):
        return self.start_with({"listen": [listen], **dict(process), "environments": {
            "default": self.environment(service, source=source, **environment)}}, wait=wait)

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


def uri_of(daemon):
    return "http://" + daemon.tcp_address
