"""The targets of the design, as rows: what was measured, against what, and whether it is met."""

BUSY_ENOUGH = 0.95
TRANSPORTS = {"tcp": "TCP", "unix": "Unix socket"}
EVALUATIONS = (("evaluation of one flag, without a socket", "evaluate_one", 150),
               ("evaluation of a flag of LaunchDarkly's, three rules and a rollout", "launchdarkly_evaluate_one",
                400))
LD_RELAY_EVALX_CPU_US = {10: 32, 1000: 577}  # what version 8.10 takes, by number of flags
PUT_BODIES = 4  # of memory, however many SDKs are sent one


def row(name, measured, most, unit):
    return {"name": name, "measured": measured, "most": most, "unit": unit, "met": measured <= most}


def row_at_least(name, measured, least, unit):
    return {"name": name, "measured": measured, "least": least, "unit": unit, "met": measured >= least}


def not_measured(name, why, **target):
    """`target` is most or least, and the unit."""
    return {"name": name, "measured": None, "why": why, "met": None, **target}


def judge(results):
    """A row for each target that this run measured."""
    return [*under_load(results), *in_bulk(results), *over_grpc(results), *by_size(results),
            *of_evaluation(results), *while_replacing(results), *of_threads(results),
            *of_launchdarkly(results), *of_memory(results), *in_time(results)]


def under_load(results):
    rows = []
    singles = results["single"]["rows"]
    most_connections = max(single["connections"] for single in singles)
    for single in singles:
        name = TRANSPORTS[single["transport"]]
        if single["connections"] == most_connections:
            judged = row(f"CPU of an answer / fixed answer, {name}, {most_connections} connections",
                         single["ratio"], 1.25, "×")
            busy = min(single[server]["busy_share"] for server in ("fixed", "flagstone"))
            rows.append(judged if busy >= BUSY_ENOUGH else idle(judged, busy))
        if single["connections"] == 16:
            rows.append(row(f"p99 at 16 connections, {name}", single["flagstone"]["p99_us"], 250, "µs"))
    return rows


def by_size(results):
    return [row(f"CPU of an answer, {measured['many']:,} flags / {measured['few']}, {measured['load']}, "
                f"{TRANSPORTS[r['transport']]}", r["growth"], 1.1, "×")
            for measured in (results["single_by_size"], results["grpc_by_size"])
            for r in measured["rows"]]


def idle(judged, busy):
    """A ratio that says nothing, as a core was not busy."""
    return {**judged, "name": f"{judged['name']} (a core only {100 * busy:.0f} % busy)"}


def in_bulk(results):
    return [row(f"CPU per flag in a bulk answer of 1,000 beyond the bytes, {TRANSPORTS[r['transport']]}",
                r["beyond_bytes_us_per_flag"], 0.2, "µs") for r in results["bulk"]["rows"]]


def over_grpc(results):
    rows = []
    for measured in results["grpc"]["rows"]:
        name = TRANSPORTS[measured["transport"]]
        streams = f"{measured['streams']} stream{'s' if measured['streams'] > 1 else ''}"
        rows.append(row(f"CPU of a gRPC answer / fixed HTTP/2 answer, {name}, {streams}",
                        measured["ratio"], 1.4, "×"))
        # A single stream wakes both sides for each request, which alone costs more.
        if measured["streams"] >= 16:
            rows.append(row(f"CPU of a gRPC answer, {name}, {streams}",
                            measured["flagstone"]["cpu_us"], 8, "µs"))
    for measured in results["fan_out"]:
        name = f"{measured['stream']}, {measured['subscribers']:,} subscribers"
        rows.append(row(f"{name}: change to the last", measured["max_ms"], 100, "ms"))
        rows.append(row(f"{name}: memory of each", measured["kib_each"], 16, "KiB"))
    return rows


def of_evaluation(results):
    measured = results["evaluation"] or {}
    return [row(name, measured[benchmark], most, "ns") if benchmark in measured else
            not_measured(name, "evaluation_bench was not built", most=most, unit="ns")
            for name, benchmark, most in EVALUATIONS]


def while_replacing(results):
    measured = results["replacement"]
    return [row(f"p99 at half load, {measured['flags']:,} flags replaced every second "
                f"({r['changed']} changed)", r["p99_us"] / 1000, 1, "ms")
            for r in measured["rows"] if r["changed"] != "none"]


def of_threads(results):
    name, measured = "answers of two serving threads / one", results["threads"]
    if "not_measured" in measured:
        return [not_measured(name, measured["not_measured"], least=1.7, unit="×")]
    return [row_at_least(name, measured["gain"], 1.7, "×")]


def of_launchdarkly(results):
    rows = []
    for measured in results["launchdarkly"]["rows"]:
        if measured["asked"].startswith("evalx"):
            rows.append(row(f"CPU of evalx, {measured['flags']:,} flags of LaunchDarkly's, against ld-relay 8.10's",
                            measured["flagstone"]["cpu_us"], LD_RELAY_EVALX_CPU_US[measured["flags"]], "µs"))
    put = results["launchdarkly_put"]
    rows.append(row(f"memory that {put['subscribers']:,} SDKs' first put of {put['body_mib']:.1f} MiB takes, "
                    "in bodies", put["grown_bodies"], PUT_BODIES, "×"))
    for patch in results["launchdarkly_patch"]:
        rows.append(row(f"patch from upstream to downstream, {patch['protocol']}, p99", patch["p99_ms"], 10,
                        "ms"))
    return rows


def of_memory(results):
    rows = []
    for flags, resident, anonymous in ((10, 16, 3), (10000, 28, 12)):
        measured = results["memory"]["by_size"].get(flags)
        if measured:
            rows.append(row(f"resident memory, {flags:,} flags", measured["resident"], resident, "MiB"))
            rows.append(row(f"of it anonymous, {flags:,} flags", measured["anonymous"], anonymous, "MiB"))
    if 10000 in results["memory"]["by_size"]:
        rows.append(row("peak after five reloads of 10,000 flags",
                        results["memory"]["after_reloads"]["peak"], 40, "MiB"))
    return rows


def in_time(results):
    rows = []
    if results["start"]["flags"] == 10000:
        for source, most in (("JSON", 120), ("state", 30)):
            measured = results["start"][f"from_{source.lower()}"]["median_ms"]
            rows.append(row(f"start to first answer from {source}, 10,000 flags", measured, most, "ms"))
    for change in results["change"]:
        rows.append(row(f"file of {change['flags']:,} flags replaced ({change['changed']} changed) "
                        "to answer changed", change["median_ms"], most_ms(change["flags"]), "ms"))
    for pushed in results["pushed"]:
        rows.append(row(f"{pushed['flags']:,} flags pushed (one changed) to answer changed",
                        pushed["median_ms"], most_ms(pushed["flags"]), "ms"))
    return rows


def most_ms(flags):
    """For a changed document of so many flags."""
    return 10 if flags <= 1000 else 30
