"""What the tests of LaunchDarkly's SDKs have in common: apps, and what each has to make of the flags.

What has to work, for each SDK and each way that it gets its flags (MODES), and where it is tested:

| | told often | polls seldom |
|---|---|---|
| first data | test_launchdarkly_clients | test_launchdarkly_clients |
| live change | test_launchdarkly_clients | test_launchdarkly_seldom_polls |
| restart while the vendor is down | test_launchdarkly_clients (*) | test_launchdarkly_seldom_polls |
| start while the vendor is down | test_launchdarkly_clients | test_launchdarkly_clients |
| a key that changes | test_launchdarkly_clients | test_launchdarkly_seldom_polls |
| start with the new key | test_launchdarkly_clients | test_launchdarkly_clients |
| sums of events | test_launchdarkly_events | test_launchdarkly_events |

(*) but for ENDED_BY_A_REFUSED_CONNECTION, which test_launchdarkly_seldom_polls has.
"""

from interop_test_case import HERE, main  # noqa: F401
from launchdarkly_client import LaunchDarklyClient
from launchdarkly_test_case import SDK_KEY, LaunchDarklyTestCase

# The two protocols, streamed and polled, and FDv2 as the SDK's data system does by itself: a poll,
# then a stream, and polls again where the stream fails. Python has two manners of polling FDv1.
MODES = {"python": ("streaming", "polling", "fdv1-polling", "fdv2", "fdv2-polling", "fdv2-default"),
         "node": ("streaming", "polling", "fdv2", "fdv2-polling", "fdv2-default"),
         "go": ("streaming", "polling", "fdv2", "fdv2-polling", "fdv2-default")}
# Their own smallest interval between polls is 30 s, which nothing official makes shorter.
POLLS_SELDOM = {("python", "polling"), ("node", "polling"), ("go", "polling"),
                ("go", "fdv2-polling")}
# A refused connection ends these for good: their data system's poll (ldclient/impl/datasourcev2/
# polling.py, sync) lets urllib3's error out, and the synchronizer is taken for failed. So whether
# they live through a restart hangs on whether a poll met it, whoever is polled.
ENDED_BY_A_REFUSED_CONNECTION = {("python", "fdv1-polling"), ("python", "fdv2-polling")}
SECOND_KEY = "sdk-key-two"

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


def often_told(language):
    """The modes in which that SDK hears of a change at once, or polls as often as it is told to."""
    return [mode for mode in MODES[language] if (language, mode) not in POLLS_SELDOM]


class LaunchDarklyAppCase(LaunchDarklyTestCase):
    def app(self, language, uri, key=SDK_KEY, wait=True, **options):
        client = LaunchDarklyClient(language, uri, key, **options)
        self.addCleanup(client.close)
        if wait:
            self.assertTrue(client.started(), "the SDK had no data in time")
        return client

    def apps(self, ways, uri, **options):
        """One in each of these ways, (language, mode), started beside each other."""
        apps = [self.app(language, uri, mode=mode, wait=False, **options) for language, mode in ways]
        for app in apps:
            self.assertTrue(app.started(), f"{app.language} {app.mode} had no data in time")
        return apps

    def change_key(self, service, key_file="key"):
        """The key file's content changes, and upstream takes the new key alone."""
        self.write(key_file, SECOND_KEY + "\n")
        self.eventually(lambda: any(r.header("Authorization") == SECOND_KEY
                                    for r in service.requests), "the new key upstream")
        service.accept_keys(SECOND_KEY)
        service.end_streams()

    def check_evaluations(self, client):
        for key, context, expected in CASES:
            with self.subTest(language=client.language, mode=client.mode, key=key, context=context):
                found = client.variation(key, context)
                self.assertEqual((found["value"], found["variation"], found["reason"]["kind"]),
                                 expected, found)


class EachLanguage:
    """For what self.check(language) finds out: a test for each language, besides the case's own."""

    def test_python(self):
        self.check("python")

    def test_node(self):
        self.check("node")

    def test_go(self):
        self.check("go")
