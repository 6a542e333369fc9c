"""kill -9 at any moment while apps post: what they were told is taken arrives once, and what they
were not told of they post again."""

import http.client
import itertools
import json
import pathlib
import re
import threading
import uuid

from launchdarkly_test_case import AUTHORIZED, LaunchDarklyTestCase, main
from behaviours import sequence, status
from launchdarkly_events import custom, events_of, once_each, summary
from launchdarkly_service import accepted_but_reset
from ofrep_client import Client

ONE = ("answer", 0, 1, "v1")
APPS = 4
POSTS = 60
DIAGNOSTIC_EVERY = 10
# A log is made into batches all the time: there is much to be killed at.
BUSY = {"flush_interval": "100ms", "batch_bytes": "4KiB"}


def diagnostic(app, number):
    """As SDKs post it: without a payload id."""
    return {"kind": "diagnostic", "id": {"diagnosticId": f"app-{app}", "sdkKeySuffix": "key"},
            "creationDate": number, "dataSinceDate": 0, "droppedEvents": 0}


class App(threading.Thread):
    """Posts one body after the other, each until it is taken."""

    def __init__(self, address, app, taken):
        super().__init__(daemon=True)
        self.client = Client(address, timeout=10)
        self.app = app
        self.taken = taken
        self.gave_up = threading.Event()
        self.repeated = 0
        self.start()

    def run(self):
        for number in range(self.app * POSTS, (self.app + 1) * POSTS):
            self.post("/bulk", [summary({ONE: number}), custom(number)],
                      {"X-LaunchDarkly-Event-Schema": "4",
                       "X-LaunchDarkly-Payload-ID": str(uuid.uuid4())})
            if number % DIAGNOSTIC_EVERY == 0:
                self.post("/diagnostic", diagnostic(self.app, number), {})

    def post(self, path, body, headers):
        for again in itertools.count():
            if self.gave_up.is_set():
                return
            self.repeated += bool(again)
            try:
                answer = self.client.request("POST", path, json.dumps(body),
                                             {**AUTHORIZED, "Content-Type": "application/json",
                                              **headers})
            except (OSError, http.client.HTTPException):
                self.gave_up.wait(0.02)  # There is none just now.
                continue
            if answer.status == 202:
                self.taken.release()
                return
            if answer.status != 503:
                raise AssertionError(answer)


class Kills(LaunchDarklyTestCase):
    def test_sums_match_after_an_outage_with_kills(self):
        service, daemon = self.service_and_daemon(events=BUSY)
        self.await_state_written(daemon)
        address = daemon.tcp_address
        # An outage, an upstream that fails now and then or loses its answers, one that works.
        weathers = [service.die, service.revive,
                    lambda: service.interfere("/bulk", sequence(status(503), accepted_but_reset)),
                    lambda: service.interfere("/bulk", accepted_but_reset),
                    lambda: service.interfere("/diagnostic", accepted_but_reset), service.heal]
        taken = threading.Semaphore(0)
        apps = [App(address, app, taken) for app in range(APPS)]
        self.addCleanup(lambda: [app.gave_up.set() for app in apps])
        share = APPS * POSTS // (len(weathers) + 1)
        for weather in weathers:
            for _ in range(share):
                self.assertTrue(taken.acquire(timeout=30), "apps get on")
            weather()
            daemon.kill()
            daemon = self.flagstone(service, listen=address, events=BUSY)
        for app in apps:
            app.join(30)
            self.assertFalse(app.is_alive())
        self.check(service)
        self.assertGreater(sum(app.repeated for app in apps), 0, "kills were noticed")

    def check(self, service):
        numbers = range(APPS * POSTS)
        service.await_evaluations({"answer": sum(numbers)}, timeout=60)
        service.await_posted(lambda b: len(events_of(b, "custom")) >= len(numbers), "custom events",
                             timeout=60)
        self.assertEqual(service.summary_counts(), {("answer", 0, 1): sum(numbers)})
        self.assertEqual(sorted(e["data"]["number"] for e in events_of(service.posted(), "custom")),
                         list(numbers))
        dates = list(range(0, len(numbers), DIAGNOSTIC_EVERY))
        service.await_posted(lambda b: len(once_each(b)) >= len(dates), "diagnostics",
                             path="/diagnostic", timeout=60)
        self.assertEqual(sorted(e["creationDate"] for e in events_of(service.posted("/diagnostic"))),
                         dates)


class OwnEvaluations(LaunchDarklyTestCase):
    def counted_in_logs(self, service):
        """How many evaluations the logs in the state directory tell of."""
        folder = pathlib.Path(self.path("state-" + service.uri().rsplit(":", 1)[1]))
        return sum(int(count) for log in folder.glob("*/events/*.log")
                   for count in re.findall(rb'"version":1,"value":"v1","count":(\d+)',
                                           log.read_bytes()))

    def test_what_is_in_the_log_is_not_lost(self):
        service, daemon = self.service_and_daemon(events={"flush_interval": "1h"})
        self.await_state_written(daemon)
        address = daemon.tcp_address
        service.die()
        for _ in range(3):
            self.eventually(lambda: self.counted_in_logs(service) == 0, "the last log's batches")
            for _ in range(50):
                daemon.ofrep().evaluate("answer")
            self.eventually(lambda: self.counted_in_logs(service) == 50, "a second's summaries")
            daemon.kill()
            daemon = self.flagstone(service, listen=address, events={"flush_interval": "1h"})
        service.revive()
        daemon.kill()
        self.flagstone(service, listen=address, events=BUSY)
        service.await_evaluations({"answer": 150}, timeout=60)
        self.assertEqual(service.summary_counts(), {("answer", 0, 1): 150})


if __name__ == "__main__":
    main()
