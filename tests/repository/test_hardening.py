"""The shipped binary is hardened as the release preset says, read from the binary itself."""

import subprocess
import unittest

import tree

BINARY = tree.ROOT / "build" / "release" / "flagstone"


def readelf(*options):
    done = subprocess.run(["readelf", "--wide", *options, BINARY],
                          capture_output=True, text=True, check=True)
    return done.stdout


@unittest.skipUnless(BINARY.is_file(), "there is no release build; `make build` makes one")
class ReleaseBinary(unittest.TestCase):
    def test_it_is_position_independent(self):
        self.assertRegex(readelf("--file-header"), r"Type:\s+DYN")
        self.assertRegex(readelf("--dynamic"), r"FLAGS_1.*\bPIE\b")

    def test_relocations_are_read_only_after_start(self):
        self.assertIn("GNU_RELRO", readelf("--program-headers"))
        self.assertRegex(readelf("--dynamic"), r"FLAGS_1.*\bNOW\b")

    def test_the_stack_is_not_executable(self):
        stack, = [line for line in readelf("--program-headers").splitlines()
                  if "GNU_STACK" in line]
        self.assertNotIn("RWE", stack)

    def test_no_segment_is_writable_and_executable(self):
        loads = [line for line in readelf("--program-headers").splitlines() if " LOAD " in line]
        self.assertGreater(len(loads), 1)
        self.assertEqual([], [line for line in loads if "RWE" in line])

    def test_stack_and_buffers_are_guarded(self):
        symbols = readelf("--dyn-syms")
        self.assertIn("__stack_chk_fail", symbols)
        # Any checked form of a libc function shows that FORTIFY was on.
        self.assertRegex(symbols, r"__\w+_chk@GLIBC")

    def test_no_library_path_of_the_build_is_left(self):
        self.assertNotRegex(readelf("--dynamic"), r"\((RPATH|RUNPATH)\)")


if __name__ == "__main__":
    unittest.main()
