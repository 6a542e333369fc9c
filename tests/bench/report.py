"""Renders the results as the page docs/benchmarks.md. What stands between its note markers is kept."""

import datetime
import pathlib

NOTES_BEGIN = "<!-- notes: begin (written by hand, kept by run_bench.py) -->"
NOTES_END = "<!-- notes: end -->"
TRANSPORTS = {"tcp": "TCP", "unix": "Unix socket"}
MISSED = "**missed**"
PLOTS = (("benchmark-answers.svg", "CPU of an answer beside the fixed answer, by api and transport"),
         ("benchmark-growth.svg", "Cost and memory as flags grow from 10 to 100,000"))

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
            f"{server['cpu_us_per_flag']:.3f}",
            f"{row['beyond_bytes_us_per_flag']:.3f}" if name == "Flagstone" else "",
            f"{100 * server['busy_share']:.0f} %",
        ])
    return table(["", "server", "answers/s", "user µs", "system µs", "CPU µs", "CPU µs per flag",
                  "beyond the bytes", "core busy"], rows)


def by_size_table(*measured):
    first = measured[0]
    few, many = (f"CPU µs, {first[size]:,} flags" for size in ("few", "many"))
    return table(["", "", few, many, "growth"],
                 [[by_size["load"], TRANSPORTS[row["transport"]], f"{row['few_cpu_us']:.2f}",
                   f"{row['many_cpu_us']:.2f}", f"{row['growth']:.2f}"]
                  for by_size in measured for row in by_size["rows"]])


def replacement_table(replacement):
    changed = {"none": "none, to compare", "one": "one flag changed", "all": "every flag changed"}
    return table(["replaced every second", "times", "requests/s", "p50 µs", "p99 µs", "worst µs",
                  "overdue in the end", "core busy"],
                 [[changed[row["changed"]], row["replacements"], f"{row['per_second']:,.0f}",
                   f"{row['p50_us']:.0f}", f"{row['p99_us']:.0f}", f"{row['max_us']:.0f}",
                   row["overdue"], f"{100 * row['busy_share']:.0f} %"] for row in replacement["rows"]])


def threads_table(threads):
    if "not_measured" in threads:
        return f"Not measured: {threads['not_measured']}."
    return table(["serving threads", "requests/s"],
                 [[1, f"{threads['one']:,.0f}"], [2, f"{threads['two']:,.0f}"]])


def evaluation_table(evaluation):
    if not evaluation:
        return "Not measured: evaluation_bench was not built."
    return table(["", "CPU ns"], [[name, f"{ns:,.0f}"] for name, ns in evaluation.items()])


def growth_table(growth):
    rows = []
    for row in growth["rows"]:
        measured = [f"{row['cpu_us']:.2f}", f"{row['p99_us']:.0f}", f"{row['resident']:.1f}",
                    f"{row['anonymous']:.1f}"] if "refused" not in row else [row["refused"], "", "", ""]
        rows.append([f"{row['flags']:,}", row["limit"], row["asked"], *measured])
    return table(["flags", "memory_limit", "asked", "CPU µs", "p99 µs", "resident MiB",
                  "of it anonymous MiB"], rows)


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


def launchdarkly_table(measured):
    rows = []
    for row, name, server in both_servers(measured):
        rows.append([
            row["asked"], f"{row['flags']:,}", f"{row['body_bytes']:,}", row["connections"], name,
            f"{server['requests_per_second']:,.0f}", f"{server['p50_us']:,.0f}",
            f"{server['p99_us']:,.0f}", f"{server['user_us']:.1f}", f"{server['system_us']:.1f}",
            f"{server['cpu_us']:.1f}", f"{100 * server['busy_share']:.0f} %",
            f"{row['ratio']:.2f}" if name == "Flagstone" else "",
        ])
    return table(["", "flags", "bytes of the body", "connections", "server", "requests/s", "p50 µs",
                  "p99 µs", "user µs", "system µs", "CPU µs", "core busy", "ratio"], rows)


def put_table(put):
    return table(["SDKs at once", "put MiB", "seconds to the last byte", "times", "resident MiB before",
                  "peak MiB", "grown MiB", "in bodies"],
                 [[f"{put['subscribers']:,}", f"{put['body_mib']:.1f}", f"{put['seconds']:.2f}",
                   put["times"], f"{put['resident_mib']:.1f}", f"{put['peak_mib']:.1f}",
                   f"{put['grown_mib']:.1f}", f"{put['grown_bodies']:.1f}"]])


def patch_table(patches):
    return table(["upstream", "flags", "p50 ms", "p99 ms", "times"],
                 [[{"fdv1": "FDv1", "fdv2": "FDv2"}[row["protocol"]], f"{row['flags']:,}",
                   f"{row['p50_ms']:.2f}", f"{row['p99_ms']:.2f}", row["times"]] for row in patches])


def memory_table(memory):
    measured = [(f"{flags:,} flags", mib) for flags, mib in memory["by_size"].items()]
    largest = max(memory["by_size"])
    measured.append((f"{largest:,} flags, after {memory['reloads']} reloads", memory["after_reloads"]))
    return table(["", "resident MiB", "of it anonymous MiB", "peak MiB"],
                 [[name] + [f"{mib[kind]:.1f}" for kind in ("resident", "anonymous", "peak")]
                  for name, mib in measured])


def time_table(start=None, change=None, pushed=None, https=None):
    """Any may be missing, when only others were measured."""
    measured = []
    if start:
        flags = f"{start['flags']:,} flags"
        measured += [
            ("start to first answer, fixed answer", start["fixed"]),
            (f"start to first answer, {flags} from JSON", start["from_json"]),
            (f"start to first answer, {flags} from the state, vendor down", start["from_state"])]
    if https and "median_ms" in https:
        measured.append((f"start to first answer, {https['flags']:,} flags from an HTTPS source", https))
    for row in change or []:
        measured.append((f"file replaced to answer changed, {row['flags']:,} flags, "
                         f"{row['changed']} changed", row))
    for row in pushed or []:
        measured.append((f"pushed over SyncFlags to answer changed, {row['flags']:,} flags, "
                         "one changed", row))
    return table(["", "median ms", "worst ms", "times"],
                 [[name, f"{row['median_ms']:.1f}", f"{row['max_ms']:.1f}", row["times"]]
                  for name, row in measured])


def target_table(judged):
    rows = []
    for r in judged:
        target = f"≤ {r['most']}" if "most" in r else f"≥ {r['least']}"
        measured = "not measured" if r["measured"] is None else f"{r['measured']:.2f} {r['unit']}"
        verdict = {True: "met", False: MISSED, None: r.get("why")}[r["met"]]
        rows.append([r["name"], measured, f"{target} {r['unit']}", verdict])
    return table(["", "measured", "target", ""], rows)


def kept_notes(path):
    """The notes of the page as it stands, markers included."""
    text = path.read_text() if path.exists() else ""
    begin, end = text.find(NOTES_BEGIN), text.find(NOTES_END)
    if begin < 0 or end < begin:
        return f"{NOTES_BEGIN}\n\n{NOTES_END}"
    return text[begin:end + len(NOTES_END)]


def page(results, judged, machine, notes):
    today = datetime.datetime.now(datetime.timezone.utc).date()
    answers, growing = (f"![{what}]({file})" for file, what in PLOTS)
    return "\n".join([
        INTRODUCTION,
        "\n".join([f"- date: {today}", *(f"- {name}: {value}" for name, value in machine.items())]),
        f"\n{answers}\n\n{growing}",
        "\n## Targets\n", target_table(judged),
        "\n## Notes on missed targets\n", notes,
        *load_sections(results), *grpc_sections(results), *launchdarkly_sections(results),
        *memory_sections(results),
        "\n## Time to the answer\n",
        time_table(results["start"], results["change"], results["pushed"], results["https"]), ""])


def load_sections(results):
    single, replacement = results["single"], results["replacement"]
    return [
        "\n## One flag\n", f"An answer has {single['answer_bytes']} bytes, header included.\n",
        load_table(single),
        "\nThe same flag out of few and out of many:\n",
        by_size_table(results["single_by_size"], results["grpc_by_size"]),
        "\n## Bulk of 1,000 flags\n",
        f"An answer has {results['bulk']['answer_bytes']:,} bytes; 16 connections. Each flag was asked for by "
        "itself before. Beyond the bytes is what Flagstone takes more than the fixed answer.\n",
        bulk_table(results["bulk"]),
        "\n## While documents are replaced\n",
        f"One flag out of {replacement['flags']:,} asked at a steady rate, half of what "
        f"{replacement['connections']} connections over TCP get at most; latency counts from the moment a "
        "request was due, whether or not one could be sent.\n",
        replacement_table(replacement),
        "\n## Two serving threads\n", threads_table(results["threads"]),
        "\n## Evaluation without a socket\n", evaluation_table(results["evaluation"])]


def grpc_sections(results):
    return [
        "\n## gRPC: one flag\n",
        "ResolveBoolean over one connection by h2load, with a prepared message; the fixed answer is nghttp2 "
        f"on bare libuv sending the same {results['grpc']['answer_bytes']} bytes and trailers.\n",
        grpc_table(results["grpc"]),
        "\n## gRPC: one flag changes, many are told\n",
        "From the replacing of the file to the last subscriber's having it; each has a connection of its "
        "own. Memory is what the process grew by, divided.\n",
        fan_out_table(results["fan_out"])]


def launchdarkly_sections(results):
    return [
        "\n## LaunchDarkly\n",
        "Flags of three rules and a rollout, asked by OpenFeature and as LaunchDarkly's relay answers "
        "(`/sdk/evalx`), over TCP; the fixed answer sends the same bytes, in the same chunks. Evaluations by "
        "OpenFeature of one flag are counted for LaunchDarkly's events meanwhile. ld-relay 8.10 takes 32 CPU µs "
        "for evalx of 10 flags and 577 for 1,000: on one core, 16 connections, contexts of five attributes, but "
        "flags of a single rule and a rollout.\n",
        launchdarkly_table(results["launchdarkly"]),
        "\nServer SDKs that connect at once, as after a restart, each of which is sent the whole "
        "environment (`put`); grown is the peak over what was resident before any of them came:\n",
        put_table(results["launchdarkly_put"]),
        "\nFrom LaunchDarkly's sending of one flag's change to an SDK's having it:\n",
        patch_table(results["launchdarkly_patch"])]


def memory_sections(results):
    growth = results["growth"]
    return [
        "\n## Memory\n",
        "5 s after ready, file source, state on disk, no connections. A reload replaces the file by one "
        "in which every flag differs.\n",
        memory_table(results["memory"]),
        "\n## As flags grow\n",
        f"All keys are asked, uniformly or skewed (Zipf, s = {growth['skew']}), over TCP from "
        f"{growth['connections']} connections; memory is read afterwards. The fixed answer to the same "
        f"requests costs {growth['fixed_cpu_us']:.2f} µs.\n",
        growth_table(growth)]


def write(path, results, judged, machine):
    """Writes the page over the old one, whose notes stay."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(results, judged, machine, kept_notes(path)))
