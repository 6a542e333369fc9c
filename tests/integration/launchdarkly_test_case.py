"""What the tests of LaunchDarkly's dialect have in common: its stand-in upstream, a daemon on it, and
a set of flags that has some of everything an SDK decides by itself."""

import json

from daemon_test_case import DaemonTestCase, main  # noqa: F401
from launchdarkly_flags import answering, clause, flag, rule, segment
from launchdarkly_service import SDK_KEY, LaunchDarklyService
from flagstone_process import Flagstone
from ofrep_client import Client, EventStream

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
AUTHORIZED = {"Authorization": SDK_KEY}
# LaunchDarkly evaluates for nobody without a key.
WHO = {"targetingKey": "u"}


class KnownClient(Client):
    """Asks for somebody where a test does not say for whom."""

    def evaluate(self, key, context=None, headers=None):
        return super().evaluate(key, WHO if context is None else context, headers)

    def bulk(self, context=None, headers=None, query=""):
        return super().bulk(WHO if context is None else context, headers, query)


class KnownFlagstone(Flagstone):
    def ofrep(self, **more):
        return KnownClient(self.tcp_address, **more)

    def unix(self, path, **more):
        return KnownClient(f"unix:{path}", **more)


class LaunchDarklyTestCase(DaemonTestCase):
    def service(self, *flags, segments=None, **more):
        made = LaunchDarklyService(*(flags or FLAGS),
                                   segments=SEGMENTS if segments is None else segments, **more)
        self.addCleanup(made.close)
        return made

    def launch(self, arguments, **more):
        daemon = KnownFlagstone(arguments, folder=self.folder, **more)
        self.daemons.append(daemon)
        self.addCleanup(daemon.cleanup)
        return daemon

    def environment(self, service, source=(), key=SDK_KEY, key_file="key", **environment):
        """An environment of LaunchDarkly's dialect on that service, its key in a file."""
        return {"dialect": "launchdarkly",
                "sources": [{"uri": service.uri(), "interval": "200ms",
                             "credential_file": self.write(key_file, key), **dict(source)}],
                **environment}

    def flagstone(self, service, listen="127.0.0.1:0", wait="ready", process=(), **environment):
        """A daemon on it, whose state and configuration are that service's. `process` are options of
        the process, the rest the environment's."""
        name = service.uri().rsplit(":", 1)[1]
        return self.start_with({"listen": [listen], "state": {"dir": self.path("state-" + name)},
                                **dict(process), "environments": {
            "default": self.environment(service, **environment)}}, wait=wait, name=name + ".json")

    def service_and_daemon(self, **options):
        """The usual flags upstream, and a daemon on them; the options are those of flagstone()."""
        service = self.service()
        return service, self.flagstone(service, **options)

    def document(self, daemon, **headers):
        """What a polling SDK is served."""
        answer = daemon.ofrep().get("/sdk/latest-all", {**AUTHORIZED, **headers})
        self.assertEqual(answer.status, 200, answer)
        return answer

    def subscribe(self, daemon, path="/all", key=SDK_KEY):
        stream = EventStream(daemon.ofrep(), path, {"Authorization": key})
        self.addCleanup(stream.close)
        self.assertEqual(stream.response.status, 200)
        return stream

    def next_data(self, stream, name):
        """The data of the next event, which has to have that name."""
        event = stream.next_event()
        self.assertEqual(event and event.get("event"), name, event)
        return json.loads(event["data"])


def uri_of(daemon):
    return "http://" + daemon.tcp_address
