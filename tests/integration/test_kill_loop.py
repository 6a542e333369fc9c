"""kill -9 in a loop during state writes, 200 times, never loses a complete state. (Slow.)"""

import os

from daemon_test_case import DaemonTestCase, main
from kill_loop import run_loop

KILLS = int(os.environ.get("FLAGSTONE_TEST_KILLS", "200"))


class KillLoop(DaemonTestCase):
    def test_no_kill_loses_a_complete_state(self):
        newest = run_loop(self, KILLS, seed=20261121)
        # If no kill came after a finished write, or none before, the loop proved nothing.
        self.assertGreater(newest, 0)


if __name__ == "__main__":
    main()
