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
        ("KiB of event posts", "kib"), ("evaluations told of by them", "evaluations"))


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--daemon", default=ROOT / "build/release/flagstone", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--faster", type=float, default=20)
    return parser.parse_args()


def work(app, until, pause):
    """One app's thread: evaluates until the time is over; the number of evaluations."""
    while time.monotonic() < until:
        app.do("repeat", key="answer", count=EVALUATIONS_A_TURN)
        app.evaluated += EVALUATIONS_A_TURN
        time.sleep(pause)


def run_apps(uri, options):
    """Eight apps for the whole time; how many evaluations they made."""
    from launchdarkly_client import LaunchDarklyClient  # pylint: disable=import-outside-toplevel
    flush = SDK_FLUSH_SECONDS / options.faster
    apps = [LaunchDarklyClient("python", uri, "sdk-key-one", flush_interval=flush, diagnostics=True)
            for _ in range(APPS)]
    try:
        for app in apps:
            app.evaluated = 0
            if not app.started():
                sys.exit("count_requests.py: an SDK had no data")
        until = time.monotonic() + 60 * options.minutes / options.faster
        threads = [threading.Thread(target=work, args=(app, until, flush / TURNS_PER_FLUSH))
                   for app in apps]
        for thread in threads:
            thread.start()
        yield
        for thread in threads:
            thread.join()
        yield
    finally:
        for app in apps:
            app.close()
    yield sum(app.evaluated for app in apps)


def counted(service, run):
    """Steps of one run, with what the service was asked in it."""
    next(run)
    time.sleep(1)
    streams = service.streams
    next(run)
    bulk = len(service.requests_to("/bulk"))
    made = next(run)
    return streams, bulk, made


def measure(service, uri, options, stop=lambda: None):
    from launchdarkly_events import evaluations  # pylint: disable=import-outside-toplevel
    streams, bulk, made = counted(service, run_apps(uri, options))
    stop()
    told = evaluations(service.posted()).get("answer", 0)
    if told != made:
        sys.exit(f"count_requests.py: {made} evaluations were made, {told} were told of")
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
