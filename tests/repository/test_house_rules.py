"""Small rules of the house that a reader would otherwise have to watch over."""

import re
import unittest

import tree

SOURCE_LINES_MAX = 600
SOURCES = (".cc", ".h", ".py", ".sh", ".cmake")

# Words that say too little about what is in a file.
EMPTY_WORDS = re.compile(r"(util|helper|manager|common|misc)", re.IGNORECASE)

SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE" r" KEY-----"),
    "an AWS key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\bgh[opsu]_[A-Za-z0-9]{36}\b"),
    "a LaunchDarkly key": re.compile(
        r"\b(sdk|api|mob)-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
    "a bearer token": re.compile(r"\bBearer eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"),
}


def secrets_in(text):
    return [what for what, pattern in SECRETS.items() if pattern.search(text)]


class HouseRules(unittest.TestCase):
    maxDiff = None

    def test_no_source_is_too_long(self):
        long = []
        for name in tree.files(*SOURCES):
            lines = tree.read(name).count("\n")
            if lines > SOURCE_LINES_MAX:
                long.append(f"{name}: {lines} lines")
        self.assertEqual([], long)

    def test_file_names_say_something(self):
        self.assertEqual([], [name for name in tree.files() if EMPTY_WORDS.search(name)])

    def test_headers_begin_with_what_they_are(self):
        silent = [name for name in tree.files(".h") if not tree.read(name).startswith("//")]
        self.assertEqual([], silent)

    def test_headers_are_included_once(self):
        self.assertEqual(
            [], [name for name in tree.files(".h") if "#pragma once" not in tree.read(name)])

    def test_unit_tests_stand_on_the_mirrored_path(self):
        rooms = ("config", "evaluation", "cache", "net", "upstream", "sidecar", "fakes", "bench")
        astray = [name for name in tree.files("_test.cc")
                  if not (name.startswith("tests/") and name.split("/")[1] in rooms)]
        self.assertEqual([], astray)

    def test_what_serves_all_vendors_names_none(self):
        # What is a vendor's own stands in its row of the table, in its source's options, or in files
        # that bear its name.
        vendors = {name.split("/")[2] for name in tree.files(".cc")
                   if name.startswith("evaluation/dialects/")}
        self.assertIn("launchdarkly", vendors)
        named = re.compile(r'"({0})"|\w\.({0})\.'.format("|".join(vendors)))
        found = [name for name in tree.files(".cc", ".h")
                 if name.startswith("sidecar/") and name != "sidecar/main.cc"
                 and not name.rsplit("/", 1)[1].startswith(tuple(v + "_" for v in vendors))
                 and named.search(re.sub(r"//.*", "", tree.read(name)))]
        self.assertEqual([], found)

    def test_only_tests_know_what_stands_beside_the_clone(self):
        # A clone is complete in itself; tests that read ../shared skip without it.
        beside = "../" + "shared"
        knowing = [name for name in tree.files(*SOURCES, "CMakeLists.txt", ".yaml", ".json")
                   if not name.startswith("tests/") and beside in tree.read(name)]
        self.assertEqual([], knowing)

    def test_no_secret_is_in_the_tree(self):
        found = []
        for name in tree.files():
            try:
                found += [f"{name}: {what}" for what in secrets_in(tree.read(name))]
            except UnicodeDecodeError:
                continue  # Fuzz seeds and the like.
        self.assertEqual([], found)

    def test_a_planted_secret_is_found(self):
        # Put together here, so that this file does not hold them.
        planted = {
            "a private key": "-----BEGIN RSA PRIVATE" + " KEY-----",
            "an AWS key": "AKIA" + "ABCDEFGHIJKLMNOP",
            "a GitHub token": "ghp_" + "a" * 36,
            "a LaunchDarkly key": "sdk-" + "01234567-89ab-4def-8123-456789abcdef",
            "a bearer token": "Bearer " + "eyJ" + "a" * 24 + "." + "b" * 24,
        }
        for what, text in planted.items():
            with self.subTest(what):
                self.assertEqual([what], secrets_in(f"x = '{text}'\n"))
        self.assertEqual(set(SECRETS), set(planted))


if __name__ == "__main__":
    unittest.main()
