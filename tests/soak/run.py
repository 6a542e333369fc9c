#!/usr/bin/env python3
"""The long runs, not for CI: 1,000 kills during state writes, an upstream that flaps 300 times, and
30 minutes of every fuzz target that is built. Prints a table; exit code 1 when a row failed.

    tests/soak/run.py --binary build/release/flagstone [--fuzz-dir build/fuzz] [kills flapping fuzz]
"""

import argparse
import glob
import os
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
sys.path.insert(0, HERE)


def run_test(name):
    """Runs one soak test case; (passed, what it measured or why it failed)."""
    import soak_cases
    case = soak_cases.CASES[name]()
    result = unittest.TestResult()
    case.run(result)
    problems = result.failures + result.errors
    if problems:
        return False, problems[0][1].strip().splitlines()[-1]
    if result.skipped:
        return True, "skipped: " + result.skipped[0][1]
    return True, case.measured


def fuzz(folder, minutes):
    """Every fuzz target one after the other; rows of (name, passed, seconds, remark)."""
    targets = sorted(path for path in glob.glob(os.path.join(folder, "**", "*_fuzz"),
                                                recursive=True) if os.access(path, os.X_OK))
    if not targets:
        yield "fuzz", True, 0, f"skipped: no *_fuzz program below {folder}"
    for target in targets:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="flagstone-fuzz-") as scratch:
            os.mkdir(os.path.join(scratch, "corpus"))
            done = subprocess.run(
                [os.path.abspath(target), f"-max_total_time={int(minutes * 60)}", "-timeout=10",
                 "-rss_limit_mb=2048", "corpus", *seeds_of(target)],
                cwd=scratch, capture_output=True, check=False)
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            findings = [name for name in os.listdir(scratch) if name != "corpus"]
            for name in findings:
                os.rename(os.path.join(scratch, name), os.path.join(os.getcwd(), name))
        yield (os.path.basename(target), done.returncode == 0 and not findings,
               time.monotonic() - began, ", ".join(findings) or "".join(last))


def seeds_of(target):
    name = os.path.basename(target)[:-len("_fuzz")]
    found = [os.path.join(HERE, "..", "fuzz", folder, name) for folder in ("seeds", "corpus")]
    return [os.path.abspath(folder) for folder in found if os.path.isdir(folder)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", help="kills, flapping, fuzz; all when none is named")
    parser.add_argument("--binary", default=os.environ.get("FLAGSTONE_BINARY"))
    parser.add_argument("--fuzz-dir", default="build/fuzz")
    parser.add_argument("--fuzz-minutes", type=float, default=30)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--flaps", type=int, default=300)
    options = parser.parse_args()
    unknown = set(options.what) - {"kills", "flapping", "fuzz"}
    if unknown:
        parser.error(f"no such run: {', '.join(sorted(unknown))}")
    chosen = options.what or ["kills", "flapping", "fuzz"]
    if not options.binary and set(chosen) - {"fuzz"}:
        parser.error("--binary (or FLAGSTONE_BINARY) names the daemon to run")
    os.environ["FLAGSTONE_BINARY"] = os.path.abspath(options.binary or "")
    os.environ["FLAGSTONE_SOAK_KILLS"] = str(options.kills)
    os.environ["FLAGSTONE_SOAK_FLAPS"] = str(options.flaps)

    rows = []
    for name in ("kills", "flapping"):
        if name in chosen:
            began = time.monotonic()
            passed, remark = run_test(name)
            rows.append((name, passed, time.monotonic() - began, remark))
            print_row(rows[-1])
    if "fuzz" in chosen:
        for row in fuzz(options.fuzz_dir, options.fuzz_minutes):
            rows.append(row)
            print_row(row)
    return 0 if all(passed for _, passed, _, _ in rows) else 1


def print_row(row):
    name, passed, seconds, remark = row
    print(f"{name:<28} {'ok' if passed else 'FAILED':<7} {seconds:8.0f} s  {remark}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
