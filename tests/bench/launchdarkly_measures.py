"""LaunchDarkly's dialect: answers by OpenFeature and by evalx under load, the first put of many SDKs that
come at once, and how long a patch takes from upstream to downstream. The stand-in for LaunchDarkly's
service lives in this process."""

import base64
import json
import pathlib
import re
import selectors
import socket
import statistics
import sys
import time

from http_probe import BULK_PATH, SINGLE_PATH, HttpProbe, evaluation_request
from measures import BULK_CONNECTIONS, beside_fixed_answer, real_answer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fakes"))

from launchdarkly_flags import clause, flag, rule  # noqa: E402
from launchdarkly_service import SDK_KEY, LaunchDarklyService  # noqa: E402

SIZES = (10, 1000)
CONTEXT = {"kind": "user", "key": "user-48151623", "email": "ada@example.org", "country": "DE",
           "plan": "premium", "appVersion": "4.8.15"}
ENVIRONMENT_BYTES = 5_000_000
RECEIVE_BYTES = 1 << 20
PATIENCE_SECONDS = 120
PATCH_PAUSE_SECONDS = 0.01  # between two patches, so that each is measured by itself


def ruled_flag(number, version=1):
    """Three rules that do not match, and a rollout."""
    return flag(f"flag-{number}", ("control", "treatment"), version=version, rules=[
        rule(0, clause("country", "in", "FR", "GB", "US"), identity=f"r{number}-1"),
        rule(0, clause("email", "endsWith", "@example.com"), identity=f"r{number}-2"),
        rule(1, clause("appVersion", "semVerLessThan", "4.0.0"), identity=f"r{number}-3")],
        fallthrough={"rollout": {"variations": [{"variation": 0, "weight": 50_000},
                                                {"variation": 1, "weight": 50_000}]}})


def daemon_of(bench, service, *options):
    key = bench.work_dir / "sdk-key"
    key.write_text(SDK_KEY)
    return bench.daemon(service.uri(), options=(
        "--dialect", "launchdarkly", "--credential-file", str(key), *options))


def get(path):
    return (f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {SDK_KEY}\r\n"
            "Accept: */*\r\n\r\n").encode()


def evalx_path():
    packed = base64.urlsafe_b64encode(json.dumps(CONTEXT).encode()).decode().rstrip("=")
    return f"/sdk/evalx/contexts/{packed}"


def launchdarkly(bench):
    """Rows by how many flags there are and what is asked of them, over TCP, each beside the fixed answer."""
    rows = []
    for flags in SIZES:
        service = LaunchDarklyService(*(ruled_flag(n) for n in range(flags)))
        try:
            with daemon_of(bench, service) as daemon:
                daemon.wait_until_ready()
                compile_each(daemon, flags)
                for asked, request, connections in (
                        ("OFREP, one flag", evaluation_request(SINGLE_PATH + "flag-7"), bench.connections[-1]),
                        ("OFREP, all flags", evaluation_request(BULK_PATH), BULK_CONNECTIONS),
                        ("evalx, all flags", get(evalx_path()), BULK_CONNECTIONS)):
                    answer = real_answer(daemon, request)
                    row, = beside_fixed_answer(bench, daemon, request, answer.raw, ("tcp",), (connections,))
                    rows.append({"flags": flags, "asked": asked, "body_bytes": len(answer.body), **row})
        finally:
            service.close()
    return {"rows": rows}


def compile_each(daemon, flags):
    """Asks for each flag by itself, and waits until all of them are compiled."""
    with HttpProbe(daemon.tcp) as probe:
        for number in range(flags):
            probe.ask_flag(f"flag-{number}")

    def compiled():
        with HttpProbe(daemon.admin) as probe:
            text = probe.ask_path("/metrics").body.decode()
        return float(re.search(r"^flagstone_compiled_records (\S+)$", text, re.MULTILINE)[1])
    daemon.wait_for(f"{flags} compiled flags", lambda: compiled() >= flags)


def large_service():
    """An environment of about ENVIRONMENT_BYTES."""
    each = len(json.dumps(ruled_flag(1000), separators=(",", ":"))) + len('"flag-1000":,')
    return LaunchDarklyService(*(ruled_flag(n) for n in range(ENVIRONMENT_BYTES // each)))


class Reader:
    """One SDK's stream, read and counted."""

    def __init__(self, address, path="/all"):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), PATIENCE_SECONDS)
        self.socket.sendall(get(path))
        self.received = 0


def first_event_bytes(address):
    """How many bytes one subscriber is sent at first, head and put."""
    reader = Reader(address)
    with reader.socket:
        tail = b""
        while True:
            got = reader.socket.recv(RECEIVE_BYTES)
            if not got:
                raise OSError("the stream ended")
            reader.received += len(got)
            tail = (tail + got)[-64:]
            # The end of the event; a chunk's end may follow.
            if reader.received > ENVIRONMENT_BYTES // 2 and b"\n\n" in tail:
                return reader.received


def read_all(readers, wanted):
    """Reads until each has so many bytes."""
    room = memoryview(bytearray(RECEIVE_BYTES))
    waiting = selectors.DefaultSelector()
    for reader in readers:
        reader.socket.setblocking(False)
        waiting.register(reader.socket, selectors.EVENT_READ, reader)
    left = len(readers)
    while left:
        ready = waiting.select(PATIENCE_SECONDS)
        if not ready:
            raise OSError(f"{left} subscribers wait in vain")
        for entry, _ in ready:
            got = entry.fileobj.recv_into(room)
            if not got:
                raise OSError("a stream ended")
            entry.data.received += got
            if entry.data.received >= wanted:
                waiting.unregister(entry.fileobj)
                left -= 1
    waiting.close()


def launchdarkly_put(bench):
    """As many SDKs as there are subscribers come at once; until the last byte of the last one's put."""
    service = large_service()
    seconds = []
    try:
        with daemon_of(bench, service, "--max-connections", str(bench.sdk_subscribers + 64),
                       "--memory-limit", "128MiB") as daemon:
            daemon.wait_until_ready()
            time.sleep(bench.settle_seconds)
            # At rest, before there is any body; the peak of the start is not theirs.
            daemon.forget_peak()
            before = daemon.memory_mib()
            wanted = first_event_bytes(daemon.tcp)
            for _ in range(bench.fan_outs):
                began = time.perf_counter()
                readers = [Reader(daemon.tcp) for _ in range(bench.sdk_subscribers)]
                try:
                    read_all(readers, wanted)
                    seconds.append(time.perf_counter() - began)
                finally:
                    for reader in readers:
                        reader.socket.close()
            after = daemon.memory_mib()
    finally:
        service.close()
    body_mib, grown_mib = wanted / (1 << 20), after["peak"] - before["resident"]
    return {"subscribers": bench.sdk_subscribers, "body_mib": body_mib,
            "resident_mib": before["resident"], "peak_mib": after["peak"], "grown_mib": grown_mib,
            "grown_bodies": grown_mib / body_mib, "seconds": statistics.median(seconds),
            "times": len(seconds)}


def launchdarkly_patch(bench):
    """From the vendor's sending of a patch to a subscriber's having it; both protocols upstream."""
    rows = []
    for protocol in ("fdv1", "fdv2"):
        service = LaunchDarklyService(*(ruled_flag(n) for n in range(SIZES[-1])))
        try:
            with daemon_of(bench, service, "--protocol", protocol) as daemon:
                daemon.wait_until_ready()
                seconds = patch_seconds(bench, daemon, service)
                hundredths = statistics.quantiles(seconds, n=100)
                rows.append({"protocol": protocol, "flags": SIZES[-1], "times": len(seconds),
                             "p50_ms": 1000 * hundredths[49], "p99_ms": 1000 * hundredths[98]})
        finally:
            service.close()
    return rows


def patch_seconds(bench, daemon, service):
    reader = Reader(daemon.tcp)
    seconds = []
    with reader.socket, reader.socket.makefile("rb") as lines:
        for number in range(1, 2 + bench.patches):
            time.sleep(PATCH_PAUSE_SECONDS)
            value = ruled_flag(number % SIZES[-1], version=number + 1)
            wanted = b'"version":%d' % value["version"]
            began = time.perf_counter()
            service.set_flag(value)
            await_patch(lines, value["key"], wanted)
            seconds.append(time.perf_counter() - began)
    return seconds[1:]  # The first one comes with the put before it.


def await_patch(lines, key, wanted):
    """Reads until the patch of that key and version is whole."""
    key = b'"/flags/%s"' % key.encode()
    while True:
        line = lines.readline()
        if not line:
            raise OSError("the stream ended")
        if line.startswith(b"data") and key in line and wanted in line:
            return
