"""The targets of the design, as rows: what was measured, against what, and whether it is met."""

BUSY_ENOUGH = 0.95


def row(name, measured, most, unit):
    return {"name": name, "measured": measured, "most": most, "unit": unit, "met": measured <= most}


def judge(results):
    """A row for each target that this run measured."""
    return [*under_load(results), *in_bulk(results), *over_grpc(results), *of_memory(results),
            *in_time(results)]


def under_load(results):
    rows = []
    singles = results["single"]["rows"]
    most_connections = max(single["connections"] for single in singles)
    for single in singles:
        name = {"tcp": "TCP", "unix": "Unix socket"}[single["transport"]]
        if single["connections"] == most_connections:
            rows.append(row(f"CPU of an answer / fixed answer, {name}, {most_connections} connections",
                            single["ratio"], 1.25, "×"))
        if single["connections"] == 16:
            rows.append(row(f"p99 at 16 connections, {name}", single["flagstone"]["p99_us"], 250, "µs"))
    return rows


def in_bulk(results):
    tcp = next(r for r in results["bulk"]["rows"] if r["transport"] == "tcp")
    return [row("CPU per flag in a bulk answer of 1,000", tcp["flagstone"]["cpu_us_per_flag"], 0.2, "µs")]


def over_grpc(results):
    rows = []
    for measured in results["grpc"]["rows"]:
        name = {"tcp": "TCP", "unix": "Unix socket"}[measured["transport"]]
        if measured["streams"] >= 16:
            rows.append(row(f"CPU of a gRPC answer, {name}, {measured['streams']} streams",
                            measured["flagstone"]["cpu_us"], 8, "µs"))
    for measured in results["fan_out"]:
        name = f"{measured['stream']}, {measured['subscribers']:,} subscribers"
        rows.append(row(f"{name}: change to the last", measured["max_ms"], 100, "ms"))
        rows.append(row(f"{name}: memory of each", measured["kib_each"], 16, "KiB"))
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
        most = {10: 10, 10000: 30}.get(change["flags"])
        if most:
            rows.append(row(f"file of {change['flags']:,} flags replaced ({change['changed']} changed) "
                            "to answer changed", change["median_ms"], most, "ms"))
    return rows
