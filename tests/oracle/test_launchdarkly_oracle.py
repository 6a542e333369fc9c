"""Flagstone evaluates as LaunchDarkly's own evaluator does: 20,000 random pairs of flag and context.

For more, or for another selection, set ORACLE_PAIRS and ORACLE_FIRST."""

import os
import pathlib
import subprocess
import unittest

import fetched

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 840


class LaunchDarklyOracleTest(unittest.TestCase):
    def test_evaluations_are_the_same(self):
        oracle = fetched.go_programs(HERE / "evaluator") / "oracle"
        done = subprocess.run(
            [os.environ["ORACLE_COMPARE"], str(oracle),
             "--pairs", os.environ.get("ORACLE_PAIRS", "20000"),
             "--first", os.environ.get("ORACLE_FIRST", "0")],
            capture_output=True, text=True, check=False, timeout=SECONDS)
        print(done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout[-10000:] + done.stderr)


if __name__ == "__main__":
    unittest.main()
