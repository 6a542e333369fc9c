"""The replay itself: every kind of fault fails and its input is named and kept; without seeds it fails."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

REPLAY = os.environ["PLANTED_FAULTS_REPLAY"]
SANITIZE = os.environ["FLAGSTONE_SANITIZE"]
MUTATIONS = 200


class ReplayTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="flagstone-replay-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.seeds = self.folder / "planted"
        self.seeds.mkdir()

    def replay(self, *words):
        done = subprocess.run([REPLAY, self.seeds, str(MUTATIONS), *map(str, words)], cwd=self.folder,
                              capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stderr

    def test_what_ends_the_process_is_named_and_kept(self):
        faults = {"abort": "Aborted", "exit": "exit code 0"}
        if "address" in SANITIZE:
            faults["read behind"] = "heap-buffer-overflow"
        if "undefined" in SANITIZE:
            faults["overflow"] = "signed integer overflow"
        for fault, said in faults.items():
            with self.subTest(fault):
                (self.seeds / "b").write_text(fault)
                (self.seeds / "a").write_text("harmless")
                code, told = self.replay()
                self.assertEqual(1, code, told)
                self.assertIn(said, told)
                self.assertIn(f"input 2, the seed b, {len(fault)} bytes, kept as planted-2\n", told)
                self.assertEqual(fault, (self.folder / "planted-2").read_text())

    def test_a_mutation_is_made_again_from_its_number(self):
        (self.seeds / "grow").write_text("grow")
        code, told = self.replay()
        self.assertEqual(1, code, told)
        found = re.search(r"input (\d+), a mutation of the seed grow, \d+ bytes, kept as (\S+)\n", told)
        self.assertTrue(found, told)
        kept = (self.folder / found[2]).read_bytes()
        self.assertRegex(kept, b"^grow.")
        (self.folder / found[2]).unlink()
        code, told = self.replay(found[1], 1)
        self.assertEqual(1, code, told)
        self.assertEqual(kept, (self.folder / found[2]).read_bytes())
        self.assertEqual(0, self.replay(0, found[1])[0], "all that came before it")

    @unittest.skipUnless("address" in SANITIZE, "leaks are found by AddressSanitizer's build")
    def test_a_leak_fails(self):
        (self.seeds / "leak").write_text("leak")
        code, told = self.replay()
        self.assertEqual(1, code, told)
        self.assertIn("after the last input", told)
        self.assertEqual(1, self.replay(1, 1)[0])
        self.assertEqual(0, self.replay(0, 1)[0])

    def test_all_inputs_are_counted(self):
        (self.seeds / "a").write_text("harmless")
        code, told = self.replay()
        self.assertEqual((0, f"replay: {1 + 1 + MUTATIONS} inputs\n"), (code, told))

    def test_no_seeds_no_folder_and_no_number_fail(self):
        code, told = self.replay()
        self.assertEqual(2, code)
        self.assertIn("no seeds in", told)
        self.seeds.rmdir()
        code, told = self.replay()
        self.assertEqual(2, code)
        self.assertIn("cannot list", told)
        for words in (["many"], ["0"], ["9", "1"], ["9", "1", "0"], []):
            with self.subTest(words):
                done = subprocess.run([REPLAY, self.folder, *words], capture_output=True, text=True,
                                      check=False, timeout=60)
                self.assertEqual(2, done.returncode)
                self.assertIn("usage:", done.stderr)


if __name__ == "__main__":
    unittest.main()
