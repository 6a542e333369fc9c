"""The flag sets that benchmarks and tests stand on: of one seed always the same, of the promised shape,
and taken by the daemon without a complaint."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

import flag_set

SIZES = (3, 10, 2000)
MEBIBYTE = 1 << 20


def flags_of(size, **more):
    return json.loads(flag_set.document(size, **more))["flags"]


class FlagSet(unittest.TestCase):
    def test_a_seed_makes_the_same_set_always(self):
        for size in SIZES:
            self.assertEqual(flag_set.document(size), flag_set.document(size))
            self.assertEqual(flag_set.keys(size), list(flags_of(size)))
        self.assertNotEqual(flag_set.document(10), flag_set.document(10, seed=2))

    def test_not_by_chance_of_this_process(self):
        script = [sys.executable, flag_set.__file__, "--flags", "100", "--revision", "3", "--shift", "2"]
        outputs = {subprocess.run(script, capture_output=True, check=True,
                                  env={**os.environ, "PYTHONHASHSEED": seed}).stdout.decode()
                   for seed in ("1", "2")}
        self.assertEqual({flag_set.document(100, revision=3, shift=2)}, outputs)

    def test_each_flag_has_variants_a_rule_and_a_rollout(self):
        for shift in (0, 20):
            for key, flag in flags_of(2000, shift=shift).items():
                if key == flag_set.REVISION_FLAG:
                    continue
                with self.subTest(key, shift=shift):
                    variants = flag["variants"]
                    self.assertTrue(2 <= len(variants) <= 4)
                    self.assertIn(flag["defaultVariant"], variants)
                    rule, matched, otherwise = flag["targeting"]["if"]
                    self.assertIsInstance(rule, dict)
                    self.assertIn(matched, variants)
                    shares = dict(otherwise["fractional"])
                    self.assertEqual(set(shares), set(variants))
                    self.assertEqual(100, sum(shares.values()))
                    self.assertGreater(min(shares.values()), 0)

    def test_what_a_revision_and_a_shift_change(self):
        before = flags_of(2000)
        for more, expected in (({"revision": 7}, {flag_set.REVISION_FLAG}),
                               ({"shift": 7}, set(before) - set(flag_set.FIXED_FLAGS))):
            after = flags_of(2000, **more)
            self.assertEqual(list(before), list(after))
            self.assertEqual(expected, {key for key in before if before[key] != after[key]})

    def test_what_is_shared_follows_the_flags(self):
        whole = json.loads(flag_set.document(2000, set_id="payments"))
        self.assertEqual(["flags", "$evaluators", "metadata"], list(whole))
        self.assertEqual({"flagSetId": "payments"}, whole["metadata"])
        text = json.dumps(whole["flags"])
        for name in whole["$evaluators"]:
            self.assertIn(json.dumps({"$ref": name}), text)

    def test_a_hundred_thousand_flags_are_forty_mebibytes(self):
        size = len(flag_set.document(2000)) * 50
        self.assertAlmostEqual(40, size / MEBIBYTE, delta=2)

    @unittest.skipUnless(os.environ.get("FLAGSTONE_BINARY"), "FLAGSTONE_BINARY names no daemon")
    def test_the_daemon_finds_nothing_wrong(self):
        for more in ({}, {"set_id": "payments"}, {"revision": 1, "shift": 20}):
            with self.subTest(more), tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                file.write(flag_set.document(2000, **more))
                file.flush()
                done = subprocess.run([os.environ["FLAGSTONE_BINARY"], "check", "--uri", f"file:{file.name}"],
                                      capture_output=True, text=True, check=False)
                self.assertEqual((0, "no problems\n"), (done.returncode, done.stdout), done.stderr)


if __name__ == "__main__":
    unittest.main()
