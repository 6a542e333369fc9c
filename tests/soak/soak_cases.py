"""The daemon's long runs as test cases; run.py runs them and prints what they measured."""

import os

from daemon_test_case import DaemonTestCase
from behaviours import document
from flag_documents import answering
from kill_loop import run_loop

# Memory may grow a little while allocator and caches warm up; a leak per flap shows far above it.
WARM_UP_FLAPS = 30
GROWTH_ALLOWED = 1.02
SLACK_KIB = 512


class Kills(DaemonTestCase):
    measured = ""

    def runTest(self):
        kills = int(os.environ["FLAGSTONE_SOAK_KILLS"])
        newest = run_loop(self, kills, seed=None)
        self.measured = f"{kills} kills, {newest} times the newest version was already on disk"


class Flapping(DaemonTestCase):
    """Upstream dies and returns; readiness must not move, nor memory or descriptors grow."""

    measured = ""

    def runTest(self):
        flaps = int(os.environ["FLAGSTONE_SOAK_FLAPS"])
        fake = self.upstream(document(answering(0, padding=200), '"0"'))
        daemon = self.start(fake.uri())
        after_warm_up = None
        for flap in range(1, flaps + 1):
            failures = daemon.failures()
            fake.die()
            self.eventually(lambda f=failures: daemon.failures() > f, "a failure", timeout=120)
            self.assertEqual(daemon.admin.get("/readyz").status, 200)
            fake.serve(document(answering(flap, padding=200), f'"{flap}"'))
            fake.revive()
            self.eventually(lambda v=flap: daemon.ofrep().value() == v, "the new value",
                            timeout=120)
            self.assertEqual(daemon.admin.get("/readyz").status, 200)
            if flap == min(WARM_UP_FLAPS, flaps):
                after_warm_up = (daemon.memory_kib(), daemon.open_files())
        memory, files = daemon.memory_kib(), daemon.open_files()
        self.measured = (f"{flaps} flaps, memory {after_warm_up[0]} -> {memory} KiB, "
                         f"files {after_warm_up[1]} -> {files}")
        self.assertLessEqual(memory, after_warm_up[0] * GROWTH_ALLOWED + SLACK_KIB, self.measured)
        self.assertLessEqual(files, after_warm_up[1] + 2, self.measured)


CASES = {"kills": Kills, "flapping": Flapping}
