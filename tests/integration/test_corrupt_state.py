"""Every byte of a small state corrupted, on real files: the daemon answers with a state that was
whole, or with the bootstrap, and never with anything else.

Many environments on one vendor share one daemon, so that one start judges one damage each."""

import os
import shutil

from daemon_test_case import DaemonTestCase, main
from behaviours import document
from flag_documents import answering

ENVIRONMENTS = 28  # Each has a listener of its own, and 32 is the most.
# The full sweep over encodings is in the unit tests; here every file and every region is hit.
FLIPS_PER_FILE = 96
NAMES = [f"e{number:02d}" for number in range(ENVIRONMENTS)]


class CorruptState(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.write("bootstrap.json", answering("bootstrap"))
        self.fake = self.upstream(document(answering("v1"), '"v1"'))
        self.configuration = {"environments": {name: {
            "listen": ["unix:" + self.path(name)], "bootstrap": "bootstrap.json",
            "sources": [{"uri": self.fake.uri(), "interval": "1s"}]} for name in NAMES}}
        # Two versions, so that there is a generation to fall back to; the end of a daemon writes
        # every environment's.
        for version in ("v1", "v2"):
            self.fake.serve(document(answering(version), f'"{version}"'))
            daemon = self.start_with(self.configuration)
            for name in NAMES:
                daemon.await_value(version, client=daemon.unix(self.path(name)))
            self.assertEqual(daemon.stop(), 0)
        self.fake.die()
        shutil.copytree(self.path("state"), self.path("pristine"))
        self.answers = {"v2": 0, "v1": 0, "bootstrap": 0}

    def files_of(self, name):
        folder = self.path("state", name)
        return sorted(os.path.relpath(os.path.join(where, file), folder)
                      for where, _, files in os.walk(folder) for file in files)

    def judge(self, damages):
        """Applies each damage, a function of an environment's folder, to an environment of its own
        and asks what it answers."""
        for start in range(0, len(damages), ENVIRONMENTS):
            batch = damages[start:start + ENVIRONMENTS]
            shutil.rmtree(self.path("state"))
            shutil.copytree(self.path("pristine"), self.path("state"))
            for name, (_, damage) in zip(NAMES, batch):
                damage(self.path("state", name))
            daemon = self.start_with(self.configuration)
            for name, (what, _) in zip(NAMES, batch):
                with self.subTest(what):
                    answer = daemon.unix(self.path(name)).evaluate("answer")
                    self.assertEqual(answer.status, 200, answer)
                    self.assertIn(answer.value, self.answers, answer)
                    self.assertTrue(answer.stale)
                    self.answers[answer.value] += 1
            daemon.kill()
            self.assert_no_sanitizer_report()
            self.daemons.remove(daemon)
            daemon.cleanup()

    def test_flipped_bytes(self):
        damages = []
        for file in self.files_of(NAMES[0]):
            size = os.path.getsize(self.path("pristine", NAMES[0], file))
            step = max(1, size // FLIPS_PER_FILE)
            damages += [(f"{file} byte {at}", lambda folder, f=file, a=at: flip(folder, f, a))
                        for at in range(0, size, step)]
        self.assertGreater(len(damages), FLIPS_PER_FILE)
        self.judge(damages)
        # Damage must have been noticed, and mostly healed from the disk itself.
        self.assertGreater(self.answers["v1"] + self.answers["bootstrap"], 0, self.answers)

    def test_cut_files_and_strange_ones(self):
        damages = []
        for file in self.files_of(NAMES[0]):
            size = os.path.getsize(self.path("pristine", NAMES[0], file))
            for length in sorted({0, 1, size // 4, size // 2, max(0, size - 1)}):
                damages.append((f"{file} cut to {length}",
                                lambda folder, f=file, n=length: resize(folder, f, n)))
            damages.append((f"{file} grown to 1 GiB",
                            lambda folder, f=file: resize(folder, f, 1 << 30)))
            damages.append((f"{file} missing", lambda folder, f=file: os.remove(
                os.path.join(folder, f))))
            damages.append((f"{file} a folder", as_folder(file)))
        damages.append(("everything missing", shutil.rmtree))
        self.judge(damages)


def flip(folder, file, position):
    with open(os.path.join(folder, file), "r+b") as damaged:
        damaged.seek(position)
        byte = damaged.read(1)[0]
        damaged.seek(position)
        damaged.write(bytes([byte ^ 0x55]))


def resize(folder, file, length):
    os.truncate(os.path.join(folder, file), length)


def as_folder(file):
    def damage(folder):
        os.remove(os.path.join(folder, file))
        os.mkdir(os.path.join(folder, file))
    return damage


if __name__ == "__main__":
    main()
