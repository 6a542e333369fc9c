#!/usr/bin/env python3
"""Counts what LaunchDarkly's service is asked by eight app processes with its SDK for Python, directly and
through a daemon, and prints a table.

    tests/bench/count_requests.py [--daemon build/release/flagstone] [--minutes 10] [--faster 20]

Intervals are divided by --faster and so is the run: the SDK's 5 s between two posts of events, the daemon's
60 s, the ten minutes. Rates and numbers are as in the whole time; bytes are those of the shorter one. All of it
is on loopback, the stand-in for LaunchDarkly's service too.
"""

import argparse
import os
import pathlib
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / folder) for folder in ("interop", "integration", "fakes")]

APPS = 8
SDK_FLUSH_SECONDS = 5
DAEMON_FLUSH_SECONDS = 60
EVALUATIONS_A_TURN = 10
TURNS_PER_FLUSH = 4
ROWS = (("data streams open at once", "streams"), ("data requests", "data"),
        ("event posts (`/bulk`)", "bulk"), ("diagnostic posts (`/diagnostic`)", "diagnostic"),
        ("KiB of event posts", "kib"), ("evaluations reported in them", "evaluations"))


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--daemon", default=ROOT / "build/release/flagstone", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--faster", type=float, default=20)
    return parser.parse_args()


class Apps:
    """Eight app processes, each with a thread that lets it evaluate, flush after flush."""

    def __init__(self, uri, options):
        from launchdarkly_client import LaunchDarklyClient  # pylint: disable=import-outside-toplevel
        flush = SDK_FLUSH_SECONDS / options.faster
        self._pause = flush / TURNS_PER_FLUSH
        self._seconds = 60 * options.minutes / options.faster
        self._turns = [0] * APPS
        self._clients = [LaunchDarklyClient("python", uri, "sdk-key-one", flush_interval=flush,
                                            diagnostics=True) for _ in range(APPS)]

    def __enter__(self):
        if not all(client.started() for client in self._clients):
            sys.exit("count_requests.py: an SDK had no data")
        return self

    def __exit__(self, *_):
        for client in self._clients:
            client.close()

    @property
    def evaluated(self):
        return EVALUATIONS_A_TURN * sum(self._turns)

    def work(self):
        """To the end of the time."""
        until = time.monotonic() + self._seconds
        threads = [threading.Thread(target=self._work, args=(number, until))
                   for number in range(APPS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, number, until):
        while time.monotonic() < until:
            self._clients[number].do("repeat", key="answer", count=EVALUATIONS_A_TURN)
            self._turns[number] += 1
            time.sleep(self._pause)


def measure(service, uri, options, stop=lambda: None):
    """What the service is asked while the apps work; and whether every evaluation was told of."""
    from launchdarkly_events import evaluations  # pylint: disable=import-outside-toplevel
    with Apps(uri, options) as apps:
        apps.work()
        # Before the apps end, which makes each of them post once more.
        streams, bulk = service.streams, len(service.requests_to("/bulk"))
    stop()
    told = evaluations(service.posted()).get("answer", 0)
    if told != apps.evaluated:
        sys.exit(f"count_requests.py: {apps.evaluated} evaluations were made, {told} were told of")
    data = [r for path in ("/all", "/sdk/stream", "/sdk/poll", "/sdk/latest-all")
            for r in service.requests_to(path)]
    return {"streams": streams, "data": len(data), "bulk": bulk,
            "diagnostic": len(service.requests_to("/diagnostic")),
            "kib": sum(batch.bytes for batch in service.posted()) / 1024, "evaluations": told}


def direct(options):
    from launchdarkly_flags import answering  # pylint: disable=import-outside-toplevel
    from launchdarkly_service import LaunchDarklyService  # pylint: disable=import-outside-toplevel
    service = LaunchDarklyService(answering("v1"))
    try:
        return measure(service, service.uri(), options)
    finally:
        service.close()


def through_a_daemon(options):
    from flagstone_process import Flagstone  # pylint: disable=import-outside-toplevel
    from launchdarkly_flags import answering, compact  # pylint: disable=import-outside-toplevel
    from launchdarkly_service import SDK_KEY, LaunchDarklyService  # pylint: disable=import-outside-toplevel
    service = LaunchDarklyService(answering("v1"))
    with tempfile.TemporaryDirectory(prefix="flagstone-count-") as folder:
        (pathlib.Path(folder) / "key").write_text(SDK_KEY)
        (pathlib.Path(folder) / "flagstone.json").write_text(compact({
            "listen": ["127.0.0.1:0"], "admin": "127.0.0.1:0", "state": {"dir": folder + "/state"},
            "environments": {"default": {
                "dialect": "launchdarkly",
                "events": {"flush_interval": f"{round(1000 * DAEMON_FLUSH_SECONDS / options.faster)}ms"},
                "sources": [{"uri": service.uri(), "credential_file": folder + "/key"}]}}}))
        daemon = Flagstone(["start", "--config", folder + "/flagstone.json"], folder=folder)
        try:
            daemon.await_ready()
            return measure(service, "http://" + daemon.tcp_address, options, daemon.stop)
        finally:
            daemon.cleanup()
            service.close()


def table(options, alone, together):
    lines = [f"{APPS} app processes, {options.minutes:g} minutes (intervals and time divided by "
             f"{options.faster:g}).\n", "| | direct | through Flagstone | fewer |", "|---|---|---|---|"]
    for name, key in ROWS:
        fewer = f"{alone[key] / together[key]:.0f} ×" if together[key] and key != "evaluations" else ""
        lines.append(f"| {name} | {alone[key]:,.0f} | {together[key]:,.0f} | {fewer} |")
    return "\n".join(lines)


def main():
    options = read_options()
    os.environ["FLAGSTONE_BINARY"] = str(options.daemon.resolve())
    os.environ.setdefault("FLAGSTONE_BUILD_DIR", str(ROOT / "build"))
    alone = direct(options)
    together = through_a_daemon(options)
    print(table(options, alone, together))
    if together["streams"] != 1 or together["bulk"] * 50 > alone["bulk"]:
        sys.exit("count_requests.py: the target is one stream and at most a fiftieth of the event posts")


if __name__ == "__main__":
    main()
