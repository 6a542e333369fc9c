#!/usr/bin/env python3
"""Counts the instructions of a fixed script of requests and compares them with budgets.json.

    tests/guard/check.py [--program build/release/tests/guard/instruction_script] [--update]

More than 5 % over a budget fails and names the functions that grew. Budgets are kept by compiler and
architecture; where there are none, the counts are printed and nothing fails. Instructions, not time: they
are the same on a busy machine. --update writes what was counted as the new budgets of this compiler.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import callgrind_profile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "bench"))

import flag_set  # noqa: E402

BUDGETS = HERE / "budgets.json"
OVER_MAX = 0.05
UNDER_WORTH_SAYING = 0.05
FUNCTIONS_NAMED = 5
FUNCTIONS_KEPT_SHARE = 0.005  # of its case, for a function to be in the budgets
RUN_SECONDS_MAX = 240
# What libraries choose by the processor otherwise: simdjson its parser, glibc its memcpy and the like.
PINNED = {
    "x86_64": {"SIMDJSON_FORCE_IMPLEMENTATION": "westmere",
               "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM"},
    "aarch64": {"SIMDJSON_FORCE_IMPLEMENTATION": "arm64"},
}


def write_documents(folder):
    for name, text in (("one_hundred", flag_set.document(100)),
                       ("one_thousand", flag_set.document(1000)),
                       ("one_thousand_changed", flag_set.document(1000, revision=1, shift=1))):
        (folder / f"{name}.json").write_text(text)


def run_script(program):
    """(the budgets' key, {case: {"instructions": each, "functions": {name: instructions}}})."""
    with tempfile.TemporaryDirectory(prefix="flagstone-guard-") as name:
        folder = pathlib.Path(name)
        write_documents(folder)
        environment = {**os.environ, **PINNED.get(os.uname().machine, {})}
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--collect-atstart=no",
             f"--callgrind-out-file={folder / 'callgrind.out'}", str(program), str(folder)],
            env=environment, capture_output=True, text=True, check=False, timeout=RUN_SECONDS_MAX)
        if done.returncode != 0:
            sys.exit(f"guard: the script ended with {done.returncode}\n{done.stderr[-4000:]}")
        key, *lines = done.stdout.splitlines()
        times = {case: int(count) for case, count in (line.split() for line in lines)}
        return key, read_dumps(folder, times)


def read_dumps(folder, times):
    measured = {}
    for path in folder.glob("callgrind.out*"):
        lines = path.read_text(errors="replace").splitlines()
        case = callgrind_profile.case_of(lines)
        if case not in times:
            continue
        costs = callgrind_profile.self_costs(lines)
        functions = {name: round(cost / times[case]) for name, cost in costs.items()}
        measured[case] = {"instructions": round(sum(costs.values()) / times[case]),
                          "functions": functions}
    missing = set(times) - set(measured)
    if missing:
        sys.exit(f"guard: callgrind left no dump of {', '.join(sorted(missing))}")
    return {case: measured[case] for case in times}


def grown(measured, budget):
    """[(function, before, now)] of those that grew most; one that is new grew from nothing, but may
    also have been too small for the budget."""
    least = budget["instructions"] * FUNCTIONS_KEPT_SHARE
    growth = []
    for name, now in measured["functions"].items():
        before = budget["functions"].get(name, 0)
        if now > max(before, least):
            growth.append((name, before, now))
    growth.sort(key=lambda one: one[1] - one[2])
    return growth[:FUNCTIONS_NAMED]


def compare(measured, budgets):
    """What is wrong, as sentences: a case that is over its budget, has none, or was not measured."""
    wrong = []
    for case, budget in budgets.items():
        if case not in measured:
            wrong.append(f"{case}: has a budget but was not measured")
            continue
        now, before = measured[case]["instructions"], budget["instructions"]
        if now <= before * (1 + OVER_MAX):
            continue
        lines = [f"{case}: {now:,} instructions, {100 * (now / before - 1):.1f} % over the budget of "
                 f"{before:,}; what grew most:"]
        lines += [f"  {name}: {was:,} -> {is_now:,}" for name, was, is_now in grown(measured[case], budget)]
        wrong.append("\n".join(lines))
    wrong += [f"{case}: has no budget; write it with --update" for case in measured if case not in budgets]
    return wrong


def to_lower(measured, budgets):
    """Cases that now need so much less that their budgets would hide a later growth."""
    return [case for case, budget in budgets.items() if case in measured
            and measured[case]["instructions"] < budget["instructions"] * (1 - UNDER_WORTH_SAYING)]


def as_budgets(measured):
    """Totals, and the functions that matter, dearest first."""
    kept = {}
    for case, one in measured.items():
        least = one["instructions"] * FUNCTIONS_KEPT_SHARE
        functions = sorted(one["functions"].items(), key=lambda item: (-item[1], item[0]))
        kept[case] = {"instructions": one["instructions"],
                      "functions": {name: cost for name, cost in functions if cost >= least}}
    return kept


def report(measured, budgets):
    for case, one in measured.items():
        budget = budgets.get(case)
        beside = f"  budget {budget['instructions']:>12,}" if budget else ""
        print(f"guard: {case:<16}{one['instructions']:>12,} instructions{beside}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path,
                        default=ROOT / "build/release/tests/guard/instruction_script")
    parser.add_argument("--budgets", type=pathlib.Path, default=BUDGETS)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    if not options.program.exists():
        sys.exit(f"guard: {options.program} is missing; `make guard` builds it")
    every_budget = json.loads(options.budgets.read_text()) if options.budgets.exists() else {}
    key, measured = run_script(options.program)
    print(f"guard: {key}")
    report(measured, every_budget.get(key, {}))
    if options.update:
        every_budget[key] = as_budgets(measured)
        options.budgets.write_text(json.dumps(every_budget, indent=1, sort_keys=False) + "\n")
        print(f"guard: written to {options.budgets}")
    elif key not in every_budget:
        print(f"guard: no budgets for {key}; nothing is compared")
        for case, one in as_budgets(measured).items():
            print(f"  {case}: " + ", ".join(f"{name} {cost:,}" for name, cost
                                            in list(one["functions"].items())[:FUNCTIONS_NAMED]))
    else:
        for case in to_lower(measured, every_budget[key]):
            print(f"guard: {case} needs over 5 % less than its budget; lower it with --update")
        wrong = compare(measured, every_budget[key])
        for sentence in wrong:
            print(f"guard: {sentence}", file=sys.stderr)
        sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
