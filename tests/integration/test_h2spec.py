"""h2spec's conformance cases against the daemon: none fails outside tests/h2spec.known, and none that
is listed there passes."""

import os
import subprocess
import unittest
import xml.etree.ElementTree as ElementTree

from daemon_test_case import DaemonTestCase
from interop import fetched
import flag_documents

H2SPEC = ("github.com/summerwind/h2spec/cmd/h2spec", "v2.2.1+incompatible")
KNOWN = os.path.join(fetched.ROOT, "tests", "h2spec.known")
CASES_AT_LEAST = 140  # Fewer means that it did not run as it should.
SECONDS_PER_CASE = "3"


def known_failures():
    """The number of each case that may fail; a reason follows it on its line."""
    with open(KNOWN, encoding="utf-8") as lines:
        return {line.split()[0] for line in lines if line.strip() and not line.startswith("#")}


def outcomes(report):
    """Of each case, by its number as h2spec counts ("http2/5.1/3"): None, or why it failed."""
    found = {}
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        for index, case in enumerate(suite.findall("testcase"), start=1):
            number = f"{case.get('package')}/{index}"
            trouble = case.find("failure") if case.find("failure") is not None else case.find("error")
            found[number] = None if trouble is None else (
                f"{case.get('classname')}: {' '.join((trouble.text or '').split())}")
    return found


class H2spec(DaemonTestCase):
    def run_cases(self, *options):
        program = fetched.go_program(*H2SPEC)
        flags = self.write("flags.json", flag_documents.answering("right"))
        daemon = self.start("file:" + flags)
        host, port = daemon.tcp_address.rsplit(":", 1)
        report = self.path("h2spec.xml")
        done = subprocess.run([program, "-h", host, "-p", port, "-o", SECONDS_PER_CASE, "-j", report,
                               *options], capture_output=True, text=True, timeout=540, check=False)
        self.assertTrue(os.path.exists(report), done.stdout + done.stderr)
        self.assertEqual(daemon.ofrep().value("answer"), "right")
        return outcomes(report)

    def test_no_failure_but_the_known_ones(self):
        found = self.run_cases()
        self.assertGreaterEqual(len(found), CASES_AT_LEAST)
        known = known_failures()
        self.assertLessEqual(known, set(found), "a case that h2spec does not have is listed")
        failed = {number: why for number, why in found.items() if why}
        self.assertEqual({n: why for n, why in failed.items() if n not in known}, {})
        self.assertEqual(known - set(failed), set(), "these pass now: take them off the list")


if __name__ == "__main__":
    unittest.main(verbosity=2)
