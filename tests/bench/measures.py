"""The measurements themselves; each starts the servers it needs and gives back plain numbers."""

import json
import pathlib
import shutil
import statistics
import subprocess
import time

import flag_set
from http_probe import BULK_PATH, SINGLE_PATH, HttpProbe, evaluation_request
from servers import CLIENT_CORE, Daemon, FixedAnswer, Upstream, on_core

SETTLE_SECONDS = 5          # between ready and the reading of the memory
BULK_FLAGS = 1000
BULK_CONNECTIONS = 16
RELOADS = 5
CHANGE_PAUSE_SECONDS = 1.2  # lets the state of the change before be written, at most once a second
STATE_WRITTEN_SECONDS = 2   # the state is written within a second of its publication


class Bench:
    """Programs, folders and lengths of one run. The folders are emptied for every daemon."""

    def __init__(self, daemon, programs, work_dir, sockets_dir, quick, all_cores=frozenset()):
        self.all_cores = all_cores  # those that this run may use
        self.daemon_program = daemon
        self.fixed_answer_program = str(programs / "fixed_answer")
        self.fixed_answer_http2_program = str(programs / "fixed_answer_http2")
        self.load_client_program = str(programs / "load_client")
        self.evaluation_program = programs / "evaluation_bench"  # may be missing
        self.subscribers_program = str(programs / "subscribers")
        self.work_dir = pathlib.Path(work_dir)
        self.sockets_dir = sockets_dir
        (self.work_dir / "watched").mkdir(parents=True, exist_ok=True)
        self.flags = self.work_dir / "watched" / "flags.json"
        self.next_flags = self.work_dir / "next_flags.json"
        self.repeats = 1 if quick else 3
        self.window_seconds = 0.3 if quick else 3
        self.warm_up_seconds = 0.1 if quick else 0.5
        self.settle_seconds = 0.5 if quick else SETTLE_SECONDS
        self.connections = (1, 16) if quick else (1, 16, 64)
        self.sizes = (10, 1000) if quick else (10, 1000, 10000)
        self.growing_sizes = (10, 1000) if quick else (10, 100, 1000, 10000, 100000)
        self.largest = self.sizes[-1]
        self.replacing_seconds = 3 if quick else 10
        self.evaluation_seconds = 0.02 if quick else 0.5
        self.starts = 3 if quick else 9
        self.changes = 3 if quick else 15
        self.subscribers = 100 if quick else 2000
        self.fan_outs = 1 if quick else 5
        self.sdk_subscribers = 50 if quick else 500
        self.patches = 50 if quick else 500

    # What the measurements share.

    def prepare_flags(self, flags, revision=0, shift=0):
        """Writes the next flag file beside the watched folder, for `replace_flags`."""
        self.next_flags.write_text(flag_set.document(flags, revision=revision, shift=shift))

    def replace_flags(self):
        """Puts the prepared file in the place of the old at once, as careful writers do."""
        self.next_flags.rename(self.flags)

    def flags_uri(self, flags):
        self.prepare_flags(flags)
        self.replace_flags()
        return f"file:{self.flags}"

    def daemon(self, uri, keep_state=False, options=()):
        state_dir = self.work_dir / "state"
        if not keep_state:
            shutil.rmtree(state_dir, ignore_errors=True)
            state_dir.mkdir(parents=True)
        return Daemon(self.daemon_program, self.sockets_dir, self.work_dir / "flagstone.log", uri,
                      str(state_dir), options)

    def fixed_answer(self, answer):
        path = self.work_dir / "answer.http"
        path.write_bytes(answer)
        return FixedAnswer(self.fixed_answer_program, self.sockets_dir,
                           self.work_dir / "fixed_answer.log", str(path))

    def load(self, server, target, request, connections, **options):
        """One run of the load client to its end. Options are its own: `seconds`, `rate` and so on."""
        return self.end_load(server, self.begin_load(server, target, request, connections, **options))

    def begin_load(self, server, target, request, connections, core=CLIENT_CORE, **options):
        """`request` is the bytes of one, or a Path of a file of paths."""
        if isinstance(request, pathlib.Path):
            asked = ["--paths-file", str(request)]
        else:
            path = self.work_dir / "request.http"
            path.write_bytes(request)
            asked = ["--request-file", str(path)]
        options = {"seconds": self.window_seconds, "warm_up_seconds": self.warm_up_seconds, **options}
        for name, value in options.items():
            asked += [f"--{name.replace('_', '-')}", str(value)]
        with on_core(core):
            return subprocess.Popen(
                [self.load_client_program, "--target", target, "--connections", str(connections),
                 "--server-pid", str(server.pid), *asked],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end_load(self, server, running):
        out, errors = running.communicate()
        if running.returncode != 0:
            server.fail(errors)
        result = json.loads(out)
        if result["errors"]:
            server.fail(f"{result['errors']} errors under load: {result.get('first_error')}")
        return result


def real_answer(daemon, request):
    with HttpProbe(daemon.tcp) as probe:
        answer = probe.ask(request)
    if answer.status != 200:
        daemon.fail(f"status {answer.status}: {answer.body[:300]}")
    return answer


def median_load(runs):
    """One row of a table out of the repeats of one load."""
    def median(read):
        return statistics.median(read(run) for run in runs)

    return {
        "requests_per_second": median(lambda run: run["requests_per_second"]),
        "p50_us": median(lambda run: run["latency_us"]["p50"]),
        "p99_us": median(lambda run: run["latency_us"]["p99"]),
        "cpu_us": median(lambda run: run["server"]["cpu_us_per_request"]),
        "user_us": median(lambda run: run["server"]["user_us_per_request"]),
        "system_us": median(lambda run: run["server"]["system_us_per_request"]),
        "busy_share": median(lambda run: run["server"]["busy_share"]),
    }


def ask_each(daemon, flags):
    """Each flag once by itself, so that the daemon has compiled those that it keeps compiled."""
    with HttpProbe(daemon.tcp) as probe:
        for key in flag_set.keys(flags):
            probe.ask_flag(key)


def with_length(daemon, request):
    """The answer's bytes, or nothing while it comes without a Content-Length."""
    raw = real_answer(daemon, request).raw
    return raw if b"content-length:" in raw.partition(b"\r\n\r\n")[0].lower() else None


def answer_with_length(daemon, request):
    found = []

    def ask():
        found.append(with_length(daemon, request))
        return found[-1]

    daemon.wait_for("an answer with a length", ask)
    return found[-1]


def compare_under_load(bench, flags, request, connection_counts):
    """Rows by (transport, connections): the fixed answer and the daemon, one after the other."""
    with bench.daemon(bench.flags_uri(flags)) as daemon:
        daemon.wait_until_ready()
        ask_each(daemon, flags)
        # What was asked for is compiled a tenth of a second later; until then a bulk answer may take
        # long enough to go out in slices, as none of those does that are measured.
        answer = answer_with_length(daemon, request)
        return {"answer_bytes": len(answer),
                "rows": beside_fixed_answer(bench, daemon, request, answer, ("tcp", "unix"),
                                            connection_counts)}


def beside_fixed_answer(bench, daemon, request, answer, transports, connection_counts):
    """Rows by (transport, connections): a server that always sends that answer and the daemon, which
    take turns."""
    runs = {}
    with bench.fixed_answer(answer) as fixed:
        fixed.first_answer_seconds(request)
        for _ in range(bench.repeats):
            for transport in transports:
                for connections in connection_counts:
                    for server in (fixed, daemon):
                        result = bench.load(server, getattr(server, transport), request, connections)
                        runs.setdefault((transport, connections, server.name), []).append(result)
    rows = []
    for transport in transports:
        for connections in connection_counts:
            fixed_row, daemon_row = (median_load(runs[transport, connections, name])
                                     for name in ("fixed_answer", "flagstone"))
            rows.append({"transport": transport, "connections": connections, "fixed": fixed_row,
                         "flagstone": daemon_row,
                         "ratio": daemon_row["cpu_us"] / fixed_row["cpu_us"]})
    return rows


def single(bench):
    return compare_under_load(bench, bench.sizes[0],
                              evaluation_request(SINGLE_PATH + flag_set.ASKED_FLAG), bench.connections)


def few_and_many(bench, load_name, measure):
    """Rows by transport: CPU of an answer out of few flags and out of many. The sizes take turns, and
    `measure(daemon, transport)` gives the CPU of one."""
    sizes = (bench.sizes[0], bench.largest)
    runs = {}
    for _ in range(bench.repeats):
        for flags in sizes:
            with bench.daemon(bench.flags_uri(flags)) as daemon:
                daemon.wait_until_ready()
                for transport in ("tcp", "unix"):
                    runs.setdefault((transport, flags), []).append(measure(daemon, transport))
    rows = []
    for transport in ("tcp", "unix"):
        few, many = (statistics.median(runs[transport, flags]) for flags in sizes)
        rows.append({"transport": transport, "few_cpu_us": few, "many_cpu_us": many,
                     "growth": many / few})
    return {"load": load_name, "few": sizes[0], "many": sizes[1], "rows": rows}


def single_by_size(bench):
    request = evaluation_request(SINGLE_PATH + flag_set.ASKED_FLAG)
    connections = bench.connections[-1]

    def cpu_us(daemon, transport):
        result = bench.load(daemon, getattr(daemon, transport), request, connections)
        return result["server"]["cpu_us_per_request"]

    return few_and_many(bench, f"OFREP, {connections} connections", cpu_us)


def bulk(bench):
    """What a flag costs beyond the bytes is what Flagstone's answer costs over the fixed one."""
    compared = compare_under_load(bench, BULK_FLAGS, evaluation_request(BULK_PATH), (BULK_CONNECTIONS,))
    for row in compared["rows"]:
        for server in ("fixed", "flagstone"):
            row[server]["cpu_us_per_flag"] = row[server]["cpu_us"] / BULK_FLAGS
        row["beyond_bytes_us_per_flag"] = (row["flagstone"]["cpu_us"] - row["fixed"]["cpu_us"]) / BULK_FLAGS
    return compared


def wait_for_revision(daemon, probe, revision):
    """Seconds until the answer shows the file's revision."""
    return daemon.wait_for(
        f"revision {revision}",
        lambda: probe.ask_flag(flag_set.REVISION_FLAG).json().get("value") == revision)


def memory(bench):
    """By number of flags: resident, anonymous and peak MiB; and after the reloads of the largest."""
    by_size = {}
    for flags in bench.sizes:
        with bench.daemon(bench.flags_uri(flags)) as daemon:
            daemon.wait_until_ready()
            time.sleep(bench.settle_seconds)
            by_size[flags] = daemon.memory_mib()
            if flags != bench.largest:
                continue
            for revision in range(1, RELOADS + 1):
                bench.prepare_flags(flags, revision, shift=revision)
                bench.replace_flags()
                with HttpProbe(daemon.tcp) as probe:
                    wait_for_revision(daemon, probe, revision)
            time.sleep(bench.settle_seconds)
            after_reloads = daemon.memory_mib()
    return {"by_size": by_size, "reloads": RELOADS, "after_reloads": after_reloads}


def spread(seconds):
    return {"median_ms": 1000 * statistics.median(seconds), "max_ms": 1000 * max(seconds),
            "times": len(seconds)}


def start(bench):
    """From the start of the process to its first answer, with the largest set."""
    request = evaluation_request(SINGLE_PATH + flag_set.ASKED_FLAG)
    uri = bench.flags_uri(bench.largest)
    from_json = []
    answer = b""
    for _ in range(bench.starts):
        with bench.daemon(uri) as daemon:
            from_json.append(daemon.first_answer_seconds(request))
            answer = real_answer(daemon, request).raw
    fixed = []
    for _ in range(bench.starts):
        with bench.fixed_answer(answer) as server:
            fixed.append(server.first_answer_seconds(request))
    return {"flags": bench.largest, "fixed": spread(fixed), "from_json": spread(from_json),
            "from_state": spread(start_from_state(bench, request))}


def start_from_state(bench, request):
    """The vendor is down; only the state that an earlier run left answers."""
    document = bench.flags.read_bytes()
    with Upstream(document) as upstream:
        with bench.daemon(upstream.uri) as daemon:
            daemon.first_answer_seconds(request)
            time.sleep(STATE_WRITTEN_SECONDS)
    seconds = []
    for _ in range(bench.starts):
        with bench.daemon(upstream.uri, keep_state=True) as daemon:
            seconds.append(daemon.first_answer_seconds(request))
    return seconds


def change(bench):
    """From the file's replacement to the changed answer; one flag of it changed, or all."""
    rows = []
    for flags in bench.sizes:
        with bench.daemon(bench.flags_uri(flags)) as daemon:
            daemon.wait_until_ready()
            for changed, shift_of in (("one", lambda _: 0), ("all", lambda revision: revision % 20)):
                seconds = change_seconds(bench, daemon, flags, shift_of)
                rows.append({"flags": flags, "changed": changed, **spread(seconds)})
    return rows


def change_seconds(bench, daemon, flags, shift_of):
    seconds = []
    with HttpProbe(daemon.tcp) as probe:
        before = probe.ask_flag(flag_set.REVISION_FLAG).json()["value"]
        for revision in range(before + 1, before + 1 + bench.changes):
            bench.prepare_flags(flags, revision, shift_of(revision))
            time.sleep(CHANGE_PAUSE_SECONDS)
            bench.replace_flags()
            seconds.append(wait_for_revision(daemon, probe, revision))
    return seconds
