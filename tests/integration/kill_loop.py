"""kill -9 at random moments during state writes; used by test_kill_loop.py (200 times) and the soak
(1,000 times). Every restart must answer with one complete document, and never an older one than the
restart before."""

import random
import threading
import time

from behaviours import document
from flag_documents import answering
from flagstone_process import eventually

PADDING = 40
LONGEST_LIFE_SECONDS = 0.02


class Vendor:
    """Holds every request until release(), then answers with the newest version."""

    def __init__(self):
        self._changed = threading.Condition()
        self._version = 0
        self._held = True

    def hold(self):
        with self._changed:
            self._held = True

    def release(self, version):
        with self._changed:
            self._version, self._held = version, False
            self._changed.notify_all()

    def __call__(self, exchange):
        with self._changed:
            self._changed.wait_for(lambda: not self._held or not exchange.upstream.open, 60)
            version = self._version
        document(answering(version, padding=PADDING), f'"{version}"')(exchange)


def run_loop(test, kills, seed):
    """Starts, looks at the state, brings a new version, kills; `kills` times. Returns how many
    times the newest version was already on disk."""
    chance = random.Random(seed)
    vendor = Vendor()
    vendor.release(1)
    fake = test.upstream(vendor)
    daemon = test.start(fake.uri())
    daemon.await_metric("flagstone_state_writes_total", 1)
    daemon.kill()
    served, newest = 1, 0
    for version in range(2, kills + 2):
        vendor.hold()
        daemon = test.start(fake.uri())
        client = daemon.ofrep()
        values = client.bulk_values()
        test.assertEqual(len(values), PADDING + 1)
        test.assertEqual(len(set(values.values())), 1, f"kill {version - 1}: a mixture of versions")
        value = values["answer"]
        test.assertTrue(client.evaluate("answer").stale)
        test.assertGreaterEqual(value, served, f"kill {version - 1}: an older state came back")
        test.assertLess(value, version)
        newest += value == version - 1
        served = value
        vendor.release(version)
        eventually(lambda c=client, v=version: c.value() == v, f"version {version}")
        # Chance is the point here: the kill has to hit every step of the write.
        time.sleep(chance.uniform(0, LONGEST_LIFE_SECONDS))
        daemon.kill()
        daemon.cleanup()
        test.assert_no_sanitizer_report()
        test.daemons.remove(daemon)
    return newest
