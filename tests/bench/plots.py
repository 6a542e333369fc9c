#!/usr/bin/env python3
"""Draws the two plots of docs/benchmarks.md from the numbers of a run: the CPU of an answer beside the
fixed answer, and what answers cost and memory holds as flags grow.

    plots.py RESULTS.json FOLDER     (RESULTS as run_bench.py --json writes them)

The same numbers make the same bytes: no dates, fixed identifiers.
"""

import json
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))

import fetched  # noqa: E402

from report import PLOTS, TRANSPORTS  # noqa: E402

FLAGSTONE, FIXED, TARGET = "#b5532d", "#a7adb5", "#1f3a5f"
LIMIT_LINES = {"16MiB": ("#8cc3d6", 4.5), "64MiB": (FLAGSTONE, 1.5)}  # color, breadth
SETTINGS = {
    "svg.hashsalt": "flagstone", "svg.fonttype": "path", "font.size": 10, "axes.titlesize": 11,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.grid.axis": "y",
    "grid.color": "#e4e6e9", "axes.axisbelow": True, "legend.frameon": False, "figure.facecolor": "white",
}
GRPC_STREAMS = 16


def pyplot():
    """matplotlib from the build folder, ready to draw without a screen."""
    fetched.use_python_packages(HERE / "requirements.txt")
    import matplotlib  # pylint: disable=import-outside-toplevel
    matplotlib.use("svg")
    matplotlib.rcParams.update(SETTINGS)
    import matplotlib.pyplot  # pylint: disable=import-outside-toplevel
    return matplotlib.pyplot


def save(figure, path):
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    # matplotlib leaves blanks at the ends of lines.
    text = "\n".join(line.rstrip() for line in path.read_text().splitlines())
    path.write_text(text + "\n")


def answer_bars(results):
    """(label, fixed µs, Flagstone µs, target µs) of each api and transport that answers one flag."""
    bars = []
    singles = results["single"]["rows"]
    most = max(row["connections"] for row in singles)
    for row in singles:
        if row["connections"] == most:
            bars.append((f"OFREP, {TRANSPORTS[row['transport']]}\n{most} connections", row, 1.25))
    for row in results["grpc"]["rows"]:
        if row["streams"] == GRPC_STREAMS:
            bars.append((f"gRPC, {TRANSPORTS[row['transport']]}\n{GRPC_STREAMS} streams", row, 1.4))
    return [(label, row["fixed"]["cpu_us"], row["flagstone"]["cpu_us"], factor * row["fixed"]["cpu_us"])
            for label, row, factor in bars]


def bulk_bars(results):
    return [(f"{TRANSPORTS[row['transport']]}\n16 connections", row["fixed"]["cpu_us"],
             row["flagstone"]["cpu_us"], row["fixed"]["cpu_us"] + 0.2 * 1000)
            for row in results["bulk"]["rows"]]


def legend_below(axes, *what, ncols):
    axes.legend(*what, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=ncols, fontsize=9)


def label(axes, text, place, height, offset):
    axes.annotate(text, (place, height), textcoords="offset points", xytext=(0, offset), ha="center",
                  fontsize=9, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8})


def draw_bars(axes, bars, title, target_name, comparison):
    """`comparison` says in words how the second figure stands to the first."""
    width = 0.36
    top = 1.15 * max(max(bar[1:]) for bar in bars)
    for place, (_, fixed, flagstone, target) in enumerate(bars):
        handles = (
            axes.bar(place - width / 2, fixed, width, color=FIXED),
            axes.bar(place + width / 2, flagstone, width, color=FLAGSTONE),
            axes.hlines(target, place - width - 0.04, place + width + 0.04, colors=TARGET,
                        linestyles="dashed", linewidth=1.6))
        # Above the target's line, where the two would lie over each other.
        above = target if 0 <= target - flagstone < 0.07 * top else flagstone
        label(axes, f"{flagstone:,.3g}  ({comparison(fixed, flagstone)})", place + width / 2, above, 5)
        label(axes, f"{fixed:,.3g}", place - width / 2, fixed, 5)
    axes.set_xticks(range(len(bars)), [name for name, *_ in bars])
    axes.set_ylabel("CPU per answer, µs")
    axes.set_title(title, loc="left")
    axes.set_ylim(0, top)
    legend_below(axes, handles, ("fixed answer", "Flagstone", target_name), ncols=3 if len(bars) > 2 else 2)


def draw_answers(plt, results, path):
    figure, (one, bulk) = plt.subplots(1, 2, figsize=(11, 4.6), width_ratios=(2, 1),
                                       layout="constrained")
    draw_bars(one, answer_bars(results), "One flag, one rule, one rollout",
              "target (OFREP × 1.25, gRPC × 1.4)", lambda fixed, own: f"× {own / fixed:.2f}")
    draw_bars(bulk, bulk_bars(results), "Bulk of 1,000 flags", "target (+ 0.2 µs a flag)",
              lambda fixed, own: f"+ {(own - fixed) / 1000:.2f} a flag")
    figure.suptitle("CPU per answer beside the fixed answer, which only sends the same bytes",
                    fontweight="bold")
    save(figure, path)
    plt.close(figure)


def line(rows, limit, asked, what):
    """Flags and figures of one line, and the sizes that were refused."""
    mine = [row for row in rows if row["limit"] == limit and row["asked"] == asked]
    kept = [row for row in mine if "refused" not in row]
    return ([row["flags"] for row in kept], [row[what] for row in kept],
            [row["flags"] for row in mine if "refused" in row])


def draw_lines(axes, rows, kinds):
    """`kinds`: (figure, asked, style, what the legend says of it). The small limit's lines are broad and
    lie below, so that both show where they are the same."""
    unfit = set()
    for limit, (color, breadth) in LIMIT_LINES.items():
        for what, asked, style, said in kinds:
            flags, figures, refused = line(rows, limit, asked, what)
            axes.plot(flags, figures, style, color=color, linewidth=breadth, marker="o",
                      markersize=3 + breadth, label=f"{limit.replace('MiB', ' MiB')}, {said}")
            if refused:
                axes.plot(refused, [0] * len(refused), "x", color=color, markersize=9, markeredgewidth=2,
                          clip_on=False)
            unfit |= {f"× {count:,} flags do not fit into {limit.replace('MiB', ' MiB')}"
                      for count in refused}
    axes.text(0.02, 0.97, "\n".join(sorted(unfit)), transform=axes.transAxes, va="top", fontsize=9)
    axes.set_xscale("log")
    axes.set_xticks(sorted({row["flags"] for row in rows}))
    axes.xaxis.set_major_formatter(lambda flags, _: f"{flags:,.0f}")
    axes.minorticks_off()
    axes.set_xlabel("flags")
    axes.set_ylim(bottom=0)


def draw_growth(plt, results, path):
    growth = results["growth"]
    rows, fixed = growth["rows"], growth["fixed_cpu_us"]
    figure, (cost, memory) = plt.subplots(1, 2, figsize=(11, 5.2), layout="constrained")
    draw_lines(cost, rows, (("cpu_us", "skewed", "-", "skewed"), ("cpu_us", "uniform", "--", "uniform")))
    cost.axhline(fixed, color=FIXED, linewidth=2, label="fixed answer")
    cost.axhline(1.25 * fixed, color=TARGET, linestyle=":", linewidth=1.6, label="target, × 1.25")
    cost.set_ylim(0, 1.2 * max([1.25 * fixed, *(row["cpu_us"] for row in rows if "refused" not in row)]))
    cost.set_ylabel("CPU per answer, µs")
    cost.set_title(f"OFREP over TCP, every key asked, uniformly or by Zipf {growth['skew']}", loc="left")
    legend_below(cost, ncols=3)

    draw_lines(memory, rows, (("resident", "skewed", "-", "resident"),
                              ("anonymous", "skewed", "--", "of it anonymous")))
    targets = ((10, 16, "v"), (10, 3, "^"), (10_000, 28, "v"), (10_000, 12, "^"))
    for flags, most, marker in targets:
        memory.plot([flags], [most], marker, color=TARGET, markersize=8, linestyle="none",
                    label={"v": "target, resident", "^": "target, anonymous"}[marker]
                    if flags == 10 else None)
    memory.set_ylim(0, 1.2 * max([28, *(row["resident"] for row in rows if "refused" not in row)]))
    memory.set_ylabel("memory, MiB")
    memory.set_title("Memory after the skewed load; targets are at rest, 64 MiB", loc="left")
    legend_below(memory, ncols=3)
    figure.suptitle("What an answer costs and what memory is held as flags grow", fontweight="bold")
    save(figure, path)
    plt.close(figure)


def write(folder, results):
    """Both plots, by the names that the page links; where nothing can be fetched, says so instead."""
    try:
        plt = pyplot()
    except (unittest.SkipTest, RuntimeError) as why:
        print(f"no plots: {why}", file=sys.stderr)
        return
    folder = pathlib.Path(folder)
    answers, growing = (folder / name for name, _ in PLOTS)
    draw_answers(plt, results, answers)
    draw_growth(plt, results, growing)


if __name__ == "__main__":
    write(sys.argv[2], json.loads(pathlib.Path(sys.argv[1]).read_text()))
