#!/usr/bin/env python3
"""Measures the daemon beside the fixed-answer server and writes docs/benchmarks.md with its two plots.

    tests/bench/run_bench.py [--daemon build/release/flagstone] [--quick] [--only single ...]

Builds its own programs when they are missing; expects the daemon built. Uses cores 0 (server) and 1
(client), loopback and temporary Unix sockets only; two more where they are, for two serving threads. A full
run takes about a quarter of an hour; --quick takes one or two minutes, says only that everything runs, and
writes its page into build/bench/work.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import evaluation_measures
import growth_measures
import grpc_measures
import launchdarkly_measures
import machine
import measures
import plots
import replacement_measures
import report
import targets
import thread_measures
import upstream_measures
from servers import CLIENT_CORE, SERVER_CORE, ServerFailed

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ("fixed_answer", "fixed_answer_http2", "load_client", "subscribers")
MEASURES = {
    "single": measures.single,
    "single_by_size": measures.single_by_size,
    "bulk": measures.bulk,
    "evaluation": evaluation_measures.evaluation,
    "replacement": replacement_measures.replacement,
    "threads": thread_measures.threads,
    "memory": measures.memory,
    "growth": growth_measures.growth,
    "start": measures.start,
    "change": measures.change,
    "pushed": upstream_measures.pushed,
    "https": upstream_measures.https,
    "grpc": grpc_measures.grpc,
    "grpc_by_size": grpc_measures.grpc_by_size,
    "fan_out": grpc_measures.fan_out,
    "launchdarkly": launchdarkly_measures.launchdarkly,
    "launchdarkly_put": launchdarkly_measures.launchdarkly_put,
    "launchdarkly_patch": launchdarkly_measures.launchdarkly_patch,
}


def build_programs():
    """Configured as the release preset is, in a build tree of their own."""
    tree = ROOT / "build" / "bench"
    if not (tree / "build.ninja").exists():
        subprocess.run(["cmake", "--preset", "release", "-B", str(tree), "-DFLAGSTONE_BENCH=ON"],
                       cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", str(tree), "--target", *PROGRAMS], check=True,
                   stdout=subprocess.DEVNULL)
    return tree / "tests" / "bench"


def programs_dir(given, daemon):
    """Beside the daemon when they were built with it, else built now."""
    if given:
        return pathlib.Path(given).resolve()
    beside = daemon.parent / "tests" / "bench"
    return beside if all((beside / program).exists() for program in PROGRAMS) else build_programs()


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--daemon", default=ROOT / "build/release/flagstone", type=pathlib.Path)
    parser.add_argument("--programs", help="folder of fixed_answer and load_client")
    parser.add_argument("--quick", action="store_true", help="short windows, small sets, another page")
    parser.add_argument("--seconds", type=float, help="length of each measured window (default 3)")
    parser.add_argument("--only", nargs="+", choices=MEASURES, help="these measurements, no page")
    parser.add_argument("--page", default=ROOT / "docs/benchmarks.md", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path, help="also write the numbers here")
    return parser.parse_args()


def measure(bench, wanted):
    results = {}
    for name in wanted:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        results[name] = MEASURES[name](bench)
    return results


def print_results(results):
    tables = {"single": report.load_table, "single_by_size": report.by_size_table,
              "bulk": report.bulk_table, "evaluation": report.evaluation_table,
              "replacement": report.replacement_table, "threads": report.threads_table,
              "memory": report.memory_table, "growth": report.growth_table,
              "grpc": report.grpc_table, "grpc_by_size": report.by_size_table, "fan_out": report.fan_out_table,
              "launchdarkly": report.launchdarkly_table, "launchdarkly_put": report.put_table,
              "launchdarkly_patch": report.patch_table}
    for name, table in tables.items():
        if name in results:
            print(f"\n{name.replace('_', ' ')}\n{table(results[name])}")
    times = {name: results[name] for name in ("start", "change", "pushed", "https") if name in results}
    if times:
        print(f"\ntime\n{report.time_table(**times)}")


def main():
    options = read_options()
    daemon = options.daemon.resolve()
    if not daemon.exists():
        sys.exit(f"run_bench.py: {daemon} is missing; build it first (make build)")
    if not {SERVER_CORE, CLIENT_CORE} <= os.sched_getaffinity(0):
        sys.exit("run_bench.py: needs cores 0 and 1 for itself")
    programs = programs_dir(options.programs, daemon)
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CLIENT_CORE})
    described = machine.describe(str(daemon), daemon.parent / "CMakeCache.txt")
    work_dir = ROOT / "build" / "bench" / "work"
    # Sockets have short paths wherever the tree is; the state stays on the tree's disk.
    with tempfile.TemporaryDirectory(prefix="flagstone-bench-") as sockets_dir:
        bench = measures.Bench(str(daemon), programs, work_dir, sockets_dir, options.quick,
                               all_cores)
        if options.seconds:
            bench.window_seconds = options.seconds
        try:
            results = measure(bench, options.only or MEASURES)
        except ServerFailed as failure:
            sys.exit(f"run_bench.py: {failure}")
    print_results(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    if options.only:
        return
    judged = targets.judge(results)
    print(f"\ntargets\n{report.target_table(judged)}")
    page = work_dir / "benchmarks.md" if options.quick else options.page
    report.write(page, results, judged, described)
    plots.write(page.parent, results)
    print(f"\nwritten: {page}; a missed target wants a sentence in its notes")


if __name__ == "__main__":
    main()
