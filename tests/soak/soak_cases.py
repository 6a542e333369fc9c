"""The daemon's long runs as test cases; run.py runs them and prints what they measured."""

import os
import time

from daemon_test_case import DaemonTestCase
from behaviours import document
from flag_documents import answering
from kill_loop import run_loop

HALF_PERIOD_SECONDS = 1.0
# Memory may grow a little while allocator and caches warm up; a leak per flap shows far above it.
WARM_UP_FLAPS = 30
GROWTH_ALLOWED = 1.02
SLACK_KIB = 512
# A connection upstream, one of ours just closed, a state file being read: they come and go.
FILES_SLACK = 4
RECOVERY_SECONDS = 120


class Kills(DaemonTestCase):
    measured = ""

    def runTest(self):
        kills = int(os.environ["FLAGSTONE_SOAK_KILLS"])
        newest = run_loop(self, kills, seed=None)
        self.measured = f"{kills} kills, {newest} times the newest version was already on disk"


class Flapping(DaemonTestCase):
    """Upstream is up for a second and down for a second; readiness must not move, no answer fail,
    nor memory or descriptors grow."""

    measured = ""

    def runTest(self):
        flaps = int(os.environ["FLAGSTONE_SOAK_FLAPS"])
        fake = self.upstream(document(answering(0, padding=200), '"0"'))
        daemon = self.start(fake.uri())
        after_warm_up = None
        for flap in range(1, flaps + 1):
            fake.die()
            self.watch(daemon)
            fake.serve(document(answering(flap, padding=200), f'"{flap}"'))
            fake.revive()
            self.watch(daemon)
            if flap == min(WARM_UP_FLAPS, flaps):
                after_warm_up = (daemon.memory_kib(), daemon.open_files())
        self.eventually(lambda: daemon.ofrep().value() == flaps, "the last value", RECOVERY_SECONDS)
        memory, files = daemon.memory_kib(), daemon.open_files()
        self.measured = (f"{flaps} flaps, {daemon.failures():.0f} failures, memory "
                         f"{after_warm_up[0]} -> {memory} KiB, files {after_warm_up[1]} -> {files}")
        self.assertLessEqual(memory, after_warm_up[0] * GROWTH_ALLOWED + SLACK_KIB, self.measured)
        self.assertLessEqual(files, after_warm_up[1] + FILES_SLACK, self.measured)

    def watch(self, daemon):
        """Half a period of asking; the flapping itself is what takes the time here."""
        end = time.monotonic() + HALF_PERIOD_SECONDS
        while time.monotonic() < end:
            self.assertEqual(daemon.admin.get("/readyz").status, 200)
            self.assertEqual(daemon.ofrep().evaluate("answer").status, 200)
            time.sleep(0.02)


CASES = {"kills": Kills, "flapping": Flapping}
