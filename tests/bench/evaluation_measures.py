"""What evaluating costs without a socket: the figures of evaluation_bench, where it was built."""

import json
import subprocess

from servers import SERVER_CORE, ServerFailed, on_core

NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def evaluation(bench):
    """CPU ns of each benchmark, of an item where it counts items; None without the program."""
    if not bench.evaluation_program.exists():
        return None
    with on_core(SERVER_CORE):
        done = subprocess.run(
            [bench.evaluation_program, "--benchmark_format=json",
             f"--benchmark_min_time={bench.evaluation_seconds}"],
            capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServerFailed(f"evaluation_bench: {done.stderr[-2000:]}")
    return {row["name"]: nanoseconds_of(row) for row in json.loads(done.stdout)["benchmarks"]}


def nanoseconds_of(row):
    if row.get("items_per_second"):
        return 1e9 / row["items_per_second"]
    return row["cpu_time"] * NANOSECONDS[row["time_unit"]]
