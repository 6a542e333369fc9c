"""Latency at half of the saturating load while the file is replaced every second: one flag of it changed,
or every one, or, to compare with, none."""

import statistics
import time

import flag_set
from http_probe import SINGLE_PATH, HttpProbe, evaluation_request
from measures import wait_for_revision

CONNECTIONS = 16
REPLACEMENT_SECONDS = 1


def replacement(bench):
    request = evaluation_request(SINGLE_PATH + flag_set.ASKED_FLAG)
    with bench.daemon(bench.flags_uri(bench.largest)) as daemon:
        daemon.wait_until_ready()
        most = statistics.median(
            bench.load(daemon, daemon.tcp, request, CONNECTIONS)["requests_per_second"]
            for _ in range(bench.repeats))
        rows = [row_of(bench, daemon, request, most / 2, changed) for changed in ("none", "one", "all")]
    return {"flags": bench.largest, "connections": CONNECTIONS, "saturating_per_second": most,
            "rows": rows}


def row_of(bench, daemon, request, rate, changed):
    """Everything is written before; while the load runs, this process only renames, as it shares the
    client's core."""
    documents = [] if changed == "none" else written_documents(bench, daemon, changed)
    running = bench.begin_load(daemon, daemon.tcp, request, CONNECTIONS, rate=rate,
                               seconds=bench.replacing_seconds)
    began = time.monotonic()
    for number, document in enumerate(documents, start=1):
        time.sleep(max(0.0, began + number * REPLACEMENT_SECONDS - time.monotonic()))
        document.rename(bench.flags)
    result = bench.end_load(daemon, running)
    if documents:
        with HttpProbe(daemon.tcp) as probe:
            wait_for_revision(daemon, probe, last_revision(documents))
    return {"changed": changed, "replacements": len(documents), "per_second": rate,
            "p50_us": result["latency_us"]["p50"], "p99_us": result["latency_us"]["p99"],
            "max_us": result["latency_us"]["max"], "overdue": result["overdue"],
            "busy_share": result["server"]["busy_share"]}


def written_documents(bench, daemon, changed):
    """A file for each second of the load but the last."""
    with HttpProbe(daemon.tcp) as probe:
        before = probe.ask_flag(flag_set.REVISION_FLAG).json()["value"]
    paths = []
    for revision in range(before + 1, before + max(2, bench.replacing_seconds)):
        path = bench.work_dir / f"revision-{revision}.json"
        shift = revision % 20 if changed == "all" else 0
        path.write_text(flag_set.document(bench.largest, revision=revision, shift=shift))
        paths.append(path)
    return paths


def last_revision(documents):
    return int(documents[-1].stem.removeprefix("revision-"))
