"""The test case all integration tests derive from: a temporary folder, daemons and upstreams that
are cleaned up, and the daemons' logs printed when a test fails."""

import json
import os
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes"))

from flagstone_process import Flagstone, eventually  # noqa: E402
from scripted_upstream import ScriptedUpstream  # noqa: E402

SHARED = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                       "..", "..", "..", "shared"))
POLL_INTERVAL = "200ms"
SANITIZER_EXIT = "AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:"


class DaemonTestCase(unittest.TestCase):
    maxDiff = 4000

    def run(self, result=None):
        self.daemons = []
        before = problems(result)
        super().run(result)
        if result is not None and problems(result) > before:
            for daemon in self.daemons:
                sys.stderr.write(f"\n--- log of {self.id()}: {daemon.describe()}\n")

    def setUp(self):
        # Short, because a Unix socket's path has 107 bytes.
        self.folder = tempfile.mkdtemp(prefix="fst-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        # After every daemon has ended (cleanups run last to first): no sanitizer may have spoken.
        self.addCleanup(self.assert_no_sanitizer_report)

    def assert_no_sanitizer_report(self):
        for daemon in self.daemons:
            self.assertNotRegex("\n".join(daemon.log), SANITIZER_EXIT)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, content):
        """Writes a file atomically, as editors and deployments do; returns its path."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode()
        with open(path + ".new", "wb") as out:
            out.write(data)
        os.rename(path + ".new", path)
        return path

    def upstream(self, behaviour, **more):
        fake = ScriptedUpstream(behaviour, **more)
        self.addCleanup(fake.close)
        return fake

    def launch(self, arguments, **more):
        """`flagstone` with exactly these arguments."""
        daemon = Flagstone(arguments, folder=self.folder, **more)
        self.daemons.append(daemon)
        self.addCleanup(daemon.cleanup)
        return daemon

    def start(self, *uris, options=(), state="state", listen=("127.0.0.1:0",), wait="ready",
              interval=POLL_INTERVAL, **more):
        """`flagstone start` on these sources; waits until it is ready, bound, or not at all."""
        arguments = ["start"]
        for uri in uris:
            arguments += ["--uri", uri]
        for address in listen:
            arguments += ["--listen", address]
        arguments += ["--admin", "127.0.0.1:0", "--state-dir", self.path(state),
                      "--interval", interval, *options]
        return self.awaited(self.launch(arguments, **more), wait)

    def start_with(self, configuration, name="flagstone.json", wait="ready", options=(), **more):
        """`flagstone start --config` with this configuration (JSON is YAML), completed with free
        ports and a state folder."""
        whole = {"listen": ["127.0.0.1:0"], "admin": "127.0.0.1:0",
                 "state": {"dir": self.path("state")}, **configuration}
        path = self.write(name, json.dumps(whole))
        return self.awaited(self.launch(["start", "--config", path, *options], **more), wait)

    def awaited(self, daemon, wait):
        if wait:
            daemon.await_bound()
        if wait == "ready":
            daemon.await_ready()
        return daemon

    def one_source(self, uri, environment=None, **source):
        """A configuration with one environment of one source."""
        return {"environments": {"default": {
            "sources": [{"uri": uri, "interval": POLL_INTERVAL, **source}],
            **(environment or {})}}}

    def await_state_written(self, daemon, at_least=1):
        daemon.await_metric("flagstone_state_writes_total", at_least)

    def eventually(self, probe, what, timeout=None):
        return eventually(probe, what, timeout)


def problems(result):
    return 0 if result is None else len(result.failures) + len(result.errors)


def require_root(test):
    return unittest.skipUnless(os.geteuid() == 0, "needs root for mounts")(test)


def main():
    unittest.main(verbosity=2)
