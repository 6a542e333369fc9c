"""Renders the results as the page docs/benchmarks.md. What stands between its note markers is kept."""

import datetime
import pathlib

NOTES_BEGIN = "<!-- notes: begin (written by hand, kept by run_bench.py) -->"
NOTES_END = "<!-- notes: end -->"
TRANSPORTS = {"tcp": "TCP", "unix": "Unix socket"}
MISSED = "**missed**"

INTRODUCTION = """# Benchmarks

Made by `make bench` (`tests/bench/run_bench.py`); only the notes are written by hand.

The server runs on one core, the load client on another. The *fixed answer* is a server on bare libuv that
reads each request to its end and sends the very bytes that Flagstone answered before, so it is what the
socket alone costs; it and Flagstone take turns in one run, three times, and the tables show the medians.
CPU is the time of all threads of the process, by the kernel's account, within the measured window; how it
divides into user and system is sampled by the kernel and less exact. The ratio compares where the server's
core is busy (≥ 95 %); a server that sleeps between requests pays for each waking. Every request asks a flag
with one targeting rule and one percentage rollout and sends a context of five attributes.
"""


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def both_servers(compared):
    """(row, server's name, server's numbers), the fixed answer first."""
    for row in compared["rows"]:
        yield row, "fixed answer", row["fixed"]
        yield row, "Flagstone", row["flagstone"]


def load_table(compared):
    rows = []
    for row, name, server in both_servers(compared):
        rows.append([
            TRANSPORTS[row["transport"]], row["connections"], name,
            f"{server['requests_per_second']:,.0f}", f"{server['p50_us']:.0f}",
            f"{server['p99_us']:.0f}", f"{server['user_us']:.2f}", f"{server['system_us']:.2f}",
            f"{server['cpu_us']:.2f}", f"{100 * server['busy_share']:.0f} %",
            f"{row['ratio']:.2f}" if name == "Flagstone" else "",
        ])
    return table(["", "connections", "server", "requests/s", "p50 µs", "p99 µs", "user µs", "system µs",
                  "CPU µs", "core busy", "ratio"], rows)


def bulk_table(compared):
    rows = []
    for row, name, server in both_servers(compared):
        rows.append([
            TRANSPORTS[row["transport"]], name, f"{server['requests_per_second']:,.0f}",
            f"{server['user_us']:.0f}", f"{server['system_us']:.0f}", f"{server['cpu_us']:.0f}",
            f"{server['cpu_us_per_flag']:.3f}", f"{100 * server['busy_share']:.0f} %",
        ])
    return table(["", "server", "answers/s", "user µs", "system µs", "CPU µs", "CPU µs per flag",
                  "core busy"], rows)


def grpc_table(compared):
    rows = []
    for row, name, server in both_servers(compared):
        rows.append([
            TRANSPORTS[row["transport"]], row["streams"], name,
            f"{server['requests_per_second']:,.0f}", f"{server['user_us']:.2f}",
            f"{server['system_us']:.2f}", f"{server['cpu_us']:.2f}",
            f"{100 * server['busy_share']:.0f} %",
            f"{row['ratio']:.2f}" if name == "Flagstone" else "",
        ])
    return table(["", "streams", "server", "requests/s", "user µs", "system µs", "CPU µs", "core busy",
                  "ratio"], rows)


def fan_out_table(fan_outs):
    return table(["", "subscribers", "median ms to the last", "worst ms", "times", "KiB a subscriber"],
                 [[row["stream"], f"{row['subscribers']:,}", f"{row['median_ms']:.1f}",
                   f"{row['max_ms']:.1f}", row["times"], f"{row['kib_each']:.1f}"]
                  for row in fan_outs])


def memory_table(memory):
    measured = [(f"{flags:,} flags", mib) for flags, mib in memory["by_size"].items()]
    largest = max(memory["by_size"])
    measured.append((f"{largest:,} flags, after {memory['reloads']} reloads", memory["after_reloads"]))
    return table(["", "resident MiB", "of it anonymous MiB", "peak MiB"],
                 [[name] + [f"{mib[kind]:.1f}" for kind in ("resident", "anonymous", "peak")]
                  for name, mib in measured])


def time_table(start, change):
    """Either may be missing, when only the other was measured."""
    measured = []
    if start:
        flags = f"{start['flags']:,} flags"
        measured += [
            ("start to first answer, fixed answer", start["fixed"]),
            (f"start to first answer, {flags} from JSON", start["from_json"]),
            (f"start to first answer, {flags} from the state, vendor down", start["from_state"])]
    for row in change or []:
        measured.append((f"file replaced to answer changed, {row['flags']:,} flags, "
                         f"{row['changed']} changed", row))
    return table(["", "median ms", "worst ms", "times"],
                 [[name, f"{row['median_ms']:.1f}", f"{row['max_ms']:.1f}", row["times"]]
                  for name, row in measured])


def target_table(judged):
    return table(["", "measured", "target", ""],
                 [[r["name"], f"{r['measured']:.2f} {r['unit']}", f"≤ {r['most']} {r['unit']}",
                   "met" if r["met"] else MISSED] for r in judged])


def kept_notes(path):
    """The notes of the page as it stands, markers included."""
    text = path.read_text() if path.exists() else ""
    begin, end = text.find(NOTES_BEGIN), text.find(NOTES_END)
    if begin < 0 or end < begin:
        return f"{NOTES_BEGIN}\n\n{NOTES_END}"
    return text[begin:end + len(NOTES_END)]


def page(results, judged, machine, notes):
    today = datetime.datetime.now(datetime.timezone.utc).date()
    single = results["single"]
    return "\n".join([
        INTRODUCTION,
        "\n".join([f"- date: {today}", *(f"- {name}: {value}" for name, value in machine.items())]),
        "\n## Targets\n", target_table(judged),
        "\n## Notes on missed targets\n", notes,
        "\n## One flag\n", f"An answer has {single['answer_bytes']} bytes, header included.\n",
        load_table(single),
        "\n## Bulk of 1,000 flags\n",
        f"An answer has {results['bulk']['answer_bytes']:,} bytes; 16 connections.\n",
        bulk_table(results["bulk"]),
        "\n## gRPC: one flag\n",
        "ResolveString over one connection by h2load, with a prepared message; the fixed answer is nghttp2 "
        f"on bare libuv sending the same {results['grpc']['answer_bytes']} bytes and trailers.\n",
        grpc_table(results["grpc"]),
        "\n## gRPC: one flag changes, many are told\n",
        "From the replacing of the file to the last subscriber's having it; each has a connection of its "
        "own. Memory is what the process grew by, divided.\n",
        fan_out_table(results["fan_out"]),
        "\n## Memory\n",
        "5 s after ready, file source, state on disk, no connections. A reload replaces the file by one "
        "in which every flag differs.\n",
        memory_table(results["memory"]),
        "\n## Time to the answer\n", time_table(results["start"], results["change"]), ""])


def write(path, results, judged, machine):
    """Writes the page over the old one, whose notes stay."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(results, judged, machine, kept_notes(path)))
