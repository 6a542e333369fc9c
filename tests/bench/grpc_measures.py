"""The measurements of gRPC: one flag beside the fixed HTTP/2 answer, by h2load with a prepared
message; and how long a change needs to the last of many subscribers."""

import re
import shutil
import socket
import statistics
import subprocess
import time

import flag_set
import grpc_frames
from http_probe import CONTEXT
from measures import few_and_many
from servers import CLIENT_CORE, FixedAnswerHttp2, ServerFailed, on_core

RESOLVE_PATH = "/flagd.evaluation.v1.Service/ResolveBoolean"
STREAMS = {"EventStream": "/flagd.evaluation.v1.Service/EventStream",
           "SyncFlags": "/flagd.sync.v1.FlagSyncService/SyncFlags"}
FAN_OUT_FLAGS = 10
STREAMS_BY_SIZE = 16
ANSWER_LIMIT_SECONDS = 10
CLOCK_TICKS_PER_SECOND = 100
STEADY_SECONDS = 1  # before the memory of many subscribers is read


def server_answer(daemon, request):
    """The DATA that the daemon answers: what the fixed answer is to send as well."""
    host, port = daemon.tcp.rsplit(":", 1)
    with socket.create_connection((host, int(port)), ANSWER_LIMIT_SECONDS) as connection:
        connection.sendall(grpc_frames.opening(RESOLVE_PATH, request[5:]))
        received = b""
        while True:
            received += connection.recv(1 << 16)
            answer = grpc_frames.first_data(received)
            if answer:
                return answer


def cpu_seconds(pid):
    """(user, system) of the whole process, to the kernel's tick."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return tuple(int(ticks) / CLOCK_TICKS_PER_SECOND for ticks in fields[11:13])


def h2load(bench, server, transport, streams):
    """One run against one server: requests a second, and CPU µs of each."""
    target = ["-B", server.unix] if transport == "unix" else []
    window = max(1, round(bench.window_seconds))
    command = ["h2load", "-c", "1", "-m", str(streams), "-D", str(window), "--warm-up-time", "1",
               "-H", "content-type: application/grpc", "-H", "te: trailers",
               "-d", str(bench.work_dir / "request.grpc"), *target,
               f"http://{server.tcp}{RESOLVE_PATH}"]
    with on_core(CLIENT_CORE):
        running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        # The window lies inside the measured one; requests are reckoned by their rate.
        time.sleep(1.2)
        before, began = cpu_seconds(server.pid), time.monotonic()
        time.sleep(window - 0.4)
        after, ended = cpu_seconds(server.pid), time.monotonic()
        out, _ = running.communicate()
    rate = re.search(r"finished in [\d.]+m?s, ([\d.]+) req/s", out)
    failed = re.search(r"(\d+) failed, (\d+) errored", out)
    if not rate or float(rate.group(1)) == 0 or not failed or failed.groups() != ("0", "0"):
        server.fail(f"h2load: {out[-1500:]}")
    per_second = float(rate.group(1))
    user, system = ((b - a) / (ended - began) for a, b in zip(before, after))
    return {"requests_per_second": per_second, "user_us": 1e6 * user / per_second,
            "system_us": 1e6 * system / per_second, "cpu_us": 1e6 * (user + system) / per_second,
            "busy_share": user + system}


def median(runs):
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def grpc(bench):
    if not shutil.which("h2load"):
        raise ServerFailed("h2load is missing: install Debian's package nghttp2-client")
    request = grpc_frames.resolve_request(flag_set.ASKED_BOOLEAN_FLAG, CONTEXT)
    (bench.work_dir / "request.grpc").write_bytes(request)
    rows = []
    with bench.daemon(bench.flags_uri(bench.sizes[0])) as daemon:
        daemon.wait_until_ready()
        answer = server_answer(daemon, request)
        (bench.work_dir / "answer.grpc").write_bytes(answer)
        with FixedAnswerHttp2(bench.fixed_answer_http2_program, bench.sockets_dir,
                              bench.work_dir / "fixed_answer_http2.log",
                              bench.work_dir / "answer.grpc") as fixed:
            fixed.wait_for("a listener", lambda: socket.create_connection(
                ("127.0.0.1", int(fixed.tcp.rsplit(":", 1)[1]))).close() is None)
            for transport in ("tcp", "unix"):
                for streams in bench.connections:
                    turns = [(h2load(bench, fixed, transport, streams),
                              h2load(bench, daemon, transport, streams))
                             for _ in range(bench.repeats)]
                    row = {"transport": transport, "streams": streams,
                           "fixed": median([turn[0] for turn in turns]),
                           "flagstone": median([turn[1] for turn in turns])}
                    row["ratio"] = row["flagstone"]["cpu_us"] / row["fixed"]["cpu_us"]
                    rows.append(row)
    return {"answer_bytes": len(answer), "rows": rows}


def grpc_by_size(bench):
    request = grpc_frames.resolve_request(flag_set.ASKED_BOOLEAN_FLAG, CONTEXT)
    (bench.work_dir / "request.grpc").write_bytes(request)

    def cpu_us(daemon, transport):
        return h2load(bench, daemon, transport, STREAMS_BY_SIZE)["cpu_us"]

    return few_and_many(bench, f"gRPC, {STREAMS_BY_SIZE} streams", cpu_us)


def fan_out(bench):
    """One flag changes; how long until the last subscriber has it, and what a subscriber costs."""
    return [fan_out_of(bench, name, path) for name, path in STREAMS.items()]


def fan_out_of(bench, name, path):
    (bench.work_dir / "subscribe.http2").write_bytes(grpc_frames.opening(path))
    uri = bench.flags_uri(FAN_OUT_FLAGS)
    seconds = []
    with bench.daemon(uri, options=("--max-connections", str(bench.subscribers + 64))) as daemon:
        daemon.wait_until_ready()
        before = daemon.memory_mib()["resident"]
        after = before
        for revision in range(1, bench.fan_outs + 1):
            bench.prepare_flags(FAN_OUT_FLAGS, revision)
            with on_core(CLIENT_CORE):
                crowd = subprocess.Popen(
                    [bench.subscribers_program, "--target", daemon.tcp, "--request-file",
                     bench.work_dir / "subscribe.http2", "--subscribers", str(bench.subscribers)],
                    stdout=subprocess.PIPE, text=True)
            try:
                if crowd.stdout.readline() != "ready\n":
                    daemon.fail("the subscribers did not all get a first message")
                time.sleep(STEADY_SECONDS)
                after = max(after, daemon.memory_mib()["resident"])
                changed_at = time.monotonic()
                bench.replace_flags()
                line = crowd.stdout.readline().split()
                seconds.append(float(line[1]) - changed_at)
            finally:
                crowd.kill()
                crowd.wait()
                crowd.stdout.close()
    return {"stream": name, "subscribers": bench.subscribers,
            "median_ms": 1000 * statistics.median(seconds), "max_ms": 1000 * max(seconds),
            "times": len(seconds), "kib_each": 1024 * (after - before) / bench.subscribers}
