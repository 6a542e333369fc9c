"""What an answer costs and what memory is held as flags grow, under a small and the default memory limit.
Asked are all keys alike, or as apps do: few of them often, most of them hardly ever."""

import itertools
import random
import time

import flag_set
from http_probe import SINGLE_PATH
from measures import evaluation_request, median_load, real_answer

LIMITS = ("16MiB", "64MiB")
ASKED_PER_FLAG = 4    # in the list of paths, so that each of 100,000 flags is asked about so often
ASKED_MIN = 4000
SKEW = 1.1            # Zipf's exponent: the share of the flag of rank r is in proportion to r^-1.1
WINDOWS = 3
SEED = 7


def asked_keys(flags, manner):
    keys = flag_set.keys(flags)
    rng = random.Random(SEED)
    rng.shuffle(keys)
    asked = max(ASKED_MIN, ASKED_PER_FLAG * flags)
    if manner == "uniform":
        return rng.choices(keys, k=asked)
    shares = itertools.accumulate((rank + 1) ** -SKEW for rank in range(flags))
    return rng.choices(keys, cum_weights=list(shares), k=asked)


def growth(bench):
    rows = []
    for flags in bench.growing_sizes:
        bench.prepare_flags(flags)
        bench.replace_flags()
        for manner in ("uniform", "skewed"):
            paths = bench.work_dir / "paths.txt"
            paths.write_text("".join(f"{SINGLE_PATH}{key}\n" for key in asked_keys(flags, manner)))
            for limit in LIMITS:
                rows.append({"flags": flags, "limit": limit, "asked": manner,
                             **measured(bench, limit, paths)})
    return {"connections": bench.connections[-1], "skew": SKEW, "rows": rows,
            "fixed_cpu_us": fixed_answer_cpu_us(bench, paths)}


def fixed_answer_cpu_us(bench, paths):
    """What the socket alone costs of the same requests."""
    request = evaluation_request(SINGLE_PATH + flag_set.ASKED_FLAG)
    with bench.daemon(bench.flags_uri(bench.sizes[0])) as daemon:
        daemon.wait_until_ready()
        answer = real_answer(daemon, request).raw
    with bench.fixed_answer(answer) as fixed:
        fixed.first_answer_seconds(request)
        runs = [bench.load(fixed, fixed.tcp, paths, bench.connections[-1]) for _ in range(bench.repeats)]
    return median_load(runs)["cpu_us"]


def measured(bench, limit, paths):
    """CPU of an answer and the memory afterwards; or why there is none."""
    with bench.daemon(f"file:{bench.flags}", options=("--memory-limit", limit)) as daemon:
        refusal = daemon.wait_until_ready_or_refused()
        if refusal:
            return {"refused": refusal}
        window = bench.window_seconds / WINDOWS
        runs = []
        for _ in range(1 + WINDOWS):
            runs.append(bench.load(daemon, daemon.tcp, paths, bench.connections[-1], seconds=window))
        time.sleep(bench.settle_seconds)
        # The first run fetches what is asked for often; only what comes after it counts.
        return {**median_load(runs[1:]), **daemon.memory_mib()}
