"""One running daemon: starts the real binary, knows its addresses, ends it by pid whatever happens.

The binary is FLAGSTONE_BINARY. Waiting is on the daemon's log lines (a condition variable) or on
what it answers (asked until a deadline); nothing sleeps for a guessed time.
"""

import os
import re
import signal
import subprocess
import threading
import time

import prometheus_text
from ofrep_client import Client

# Generous, as a sanitizer build on a busy machine is slow; passing tests never wait this long.
PATIENCE_SECONDS = float(os.environ.get("FLAGSTONE_TEST_PATIENCE", "30"))
ASK_AGAIN_SECONDS = 0.02

LISTENING = re.compile(r"\blistening on (\S+)")
ADMIN = re.compile(r"\badmin on (\S+)")
READY = re.compile(r"^\S+ \w+ +ready$")


def binary():
    path = os.environ.get("FLAGSTONE_BINARY")
    if not path:
        raise RuntimeError("FLAGSTONE_BINARY must name the flagstone binary to test")
    return os.path.abspath(path)


def eventually(probe, what, timeout=None):
    """Asks `probe` until its answer is true, and returns that answer."""
    deadline = time.monotonic() + (timeout or PATIENCE_SECONDS)
    last = None
    while True:
        try:
            last = probe()
            if last:
                return last
        except (OSError, ValueError, KeyError) as error:
            last = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"waited in vain for {what}; last: {last!r}")
        time.sleep(ASK_AGAIN_SECONDS)


class Flagstone:
    """Started by the constructor; stop(), kill() or cleanup() ends it."""

    def __init__(self, arguments, environment=None, folder=None, wrapper=()):
        """`wrapper` comes before the binary: a command that ends by executing its arguments."""
        self.arguments = [*wrapper, binary(), *arguments]
        self._lines = []
        self._log_changed = threading.Condition()
        self._log_ended = False
        clean = {name: value for name, value in os.environ.items()
                 if not name.startswith(("FLAGSTONE_", "FLAGD_")) and not
                 name.lower().endswith("_proxy")}
        self.process = subprocess.Popen(
            self.arguments, cwd=folder, env={**clean, **(environment or {})},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    # The log.

    def _read_log(self):
        for line in self.process.stderr:
            with self._log_changed:
                self._lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self._log_changed.notify_all()
        with self._log_changed:
            self._log_ended = True
            self._log_changed.notify_all()

    @property
    def log(self):
        with self._log_changed:
            return list(self._lines)

    def await_log(self, pattern, timeout=None, since=0):
        """Waits for a log line that matches; since is an index into log."""
        wanted = re.compile(pattern)

        def found():
            return next((m for m in map(wanted.search, self._lines[since:]) if m), None)
        with self._log_changed:
            self._log_changed.wait_for(lambda: found() or self._log_ended,
                                       timeout or PATIENCE_SECONDS)
            match = found()
        if not match:
            raise AssertionError(f"no log line like {pattern!r}; {self.describe()}")
        return match

    def describe(self):
        return (f"pid {self.process.pid}, exit code {self.process.poll()}, "
                f"{' '.join(self.arguments)}\n  " + "\n  ".join(self.log))

    # Addresses and clients.

    def await_bound(self):
        self.await_log(ADMIN.pattern)
        return self

    def await_ready(self):
        self.await_log(READY.pattern)
        return self

    @property
    def listeners(self):
        return [m.group(1) for m in map(LISTENING.search, self.log) if m]

    @property
    def tcp_address(self):
        return next(a for a in self.listeners if not a.startswith("unix:"))

    @property
    def admin_address(self):
        """Where it can be asked: all interfaces are asked on loopback."""
        return self.await_log(ADMIN.pattern).group(1).replace("[::]", "127.0.0.1")

    def ofrep(self, **more):
        """A client of the first TCP listener."""
        return Client(self.tcp_address, **more)

    def unix(self, path, **more):
        return Client(f"unix:{path}", **more)

    @property
    def admin(self):
        return Client(self.admin_address)

    # What it says of itself.

    def metrics(self):
        return prometheus_text.parse(self.admin.get("/metrics").body.decode())

    def metric(self, name, **labels):
        return prometheus_text.total(self.metrics(), name, **labels)

    def await_metric(self, name, at_least=1, **labels):
        return eventually(lambda: self.metric(name, **labels) >= at_least,
                          f"{name}{labels} >= {at_least}")

    def failures(self, kind=None, **labels):
        if kind:
            labels["kind"] = kind
        return self.metric("flagstone_source_failures_total", **labels)

    def await_failure(self, *kinds, at_least=1, **labels):
        """Waits until failures of one of these kinds were counted."""
        eventually(lambda: sum(self.failures(kind, **labels) for kind in kinds) >= at_least,
                   f"{at_least} failures of kind {kinds} {labels}, or look at /metrics")

    def status(self):
        return self.admin.get("/status").json

    def environment(self, name="default"):
        return self.status()["environments"][name]

    def source(self, index=0, environment="default"):
        return self.environment(environment)["sources"][index]

    def await_value(self, expected, key="answer", client=None):
        asked = client or self.ofrep()
        eventually(lambda: asked.value(key) == expected, f"{key} to be {expected!r}")

    def memory_kib(self, what="VmRSS"):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as lines:
            for line in lines:
                if line.startswith(what + ":"):
                    return int(line.split()[1])
        raise AssertionError(f"no {what}")

    @property
    def sanitized(self):
        """Address sanitizers map terabytes and keep freed memory: sizes then say nothing."""
        return self.memory_kib("VmSize") > 1 << 30

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    # Its end.

    @property
    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=None):
        """Waits for the end and returns the exit code."""
        try:
            code = self.process.wait(timeout or PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running: {self.describe()}") from None
        self._reader.join(PATIENCE_SECONDS)
        return code

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        """kill -9, as the kernel does when memory runs out."""
        self.process.kill()
        self.wait()

    def cleanup(self):
        if self.alive:
            self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE_SECONDS)
        self.process.stderr.close()


def run(*arguments, environment=None, folder=None, timeout=60):
    """Runs a command of the binary to its end: exit code, stdout, stderr."""
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("FLAGSTONE_", "FLAGD_"))}
    done = subprocess.run([binary(), *arguments], cwd=folder, env={**clean, **(environment or {})},
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
                          check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()
