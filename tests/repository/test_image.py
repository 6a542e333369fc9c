"""The image: its Dockerfile, and that the binary runs from what the image will hold. There is no
engine to build with here, so the folder that becomes the image is built and entered by chroot."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import python_tools
import tree

USER_ID = 65532

BAD_DOCKERFILE = "FROM debian\nRUN cd /tmp && sudo apt-get install curl\n"


def lint(path):
    return subprocess.run(
        [python_tools.bin_folder() / "hadolint", "--config", tree.ROOT / ".hadolint.yaml", path],
        capture_output=True, text=True, check=False)


class Dockerfile(unittest.TestCase):
    def test_the_linter_finds_nothing(self):
        done = lint(tree.ROOT / "Dockerfile")
        self.assertEqual((0, ""), (done.returncode, done.stdout + done.stderr))

    def test_the_linter_would_find_something(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "Dockerfile"
            path.write_text(BAD_DOCKERFILE, encoding="utf-8")
            self.assertNotEqual(0, lint(path).returncode)

    def test_it_ends_small_and_without_root(self):
        lines = tree.read("Dockerfile").splitlines()
        last_stage = lines[max(i for i, line in enumerate(lines) if line.startswith("FROM ")):]
        self.assertEqual("FROM scratch", last_stage[0])
        self.assertIn(f"USER {USER_ID}:{USER_ID}", last_stage)
        self.assertIn('ENTRYPOINT ["flagstone"]', last_stage)

    def test_what_it_copies_is_not_ignored(self):
        allowed = {line[1:] for line in tree.read(".dockerignore").splitlines()
                   if line.startswith("!")}
        rooms = {"cache", "config", "evaluation", "net", "sidecar", "upstream"}
        self.assertLessEqual(rooms | {"cmake", "scripts", "CMakeLists.txt"}, allowed)
        self.assertEqual([], [name for name in allowed if not (tree.ROOT / name).exists()])


def binary_to_ship():
    """The release build where there is one, as in CI; else the one under test."""
    release = tree.ROOT / "build" / "release" / "flagstone"
    return str(release) if release.is_file() else os.environ.get("FLAGSTONE_BINARY")


class Contents(unittest.TestCase):
    def setUp(self):
        binary = binary_to_ship()
        if not binary:
            self.skipTest("there is no release build and FLAGSTONE_BINARY names no binary")
        self.is_sanitised = b"__asan_init" in pathlib.Path(binary).read_bytes()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name) / "root"
        subprocess.run([tree.ROOT / "scripts" / "image-root", binary, self.root], check=True)

    def test_there_is_nothing_but_the_binary_and_what_it_needs(self):
        programs = [path for folder in ("bin", "sbin", "usr/bin", "usr/sbin")
                    for path in (self.root / folder).glob("*")]
        self.assertEqual([self.root / "usr/bin/flagstone"], programs)
        self.assertTrue((self.root / "etc/ssl/certs/ca-certificates.crt").stat().st_size > 0)
        self.assertIn(f":{USER_ID}:{USER_ID}:", (self.root / "etc/passwd").read_text())

    def test_the_binary_runs_in_it(self):
        if os.geteuid() != 0:
            self.skipTest("chroot wants root")
        if self.is_sanitised:
            self.skipTest("sanitizers want /proc, and there is no release build; make build")
        done = subprocess.run(
            ["chroot", f"--userspec={USER_ID}:{USER_ID}", self.root, "/usr/bin/flagstone",
             "version"],
            capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("0.1.0", done.stdout)


if __name__ == "__main__":
    unittest.main()
