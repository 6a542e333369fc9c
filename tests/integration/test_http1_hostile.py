"""HTTP/1.1 from hostile peers: the table of smuggling and malformed requests over raw sockets, slow
peers, ten thousand idle ones, peers that vanish, and the end of descriptors."""

import ctypes
import http.client
import os
import re
import resource
import shutil
import socket
import subprocess
import threading
import time
import unittest

from daemon_test_case import DaemonTestCase, main, require_root
from behaviours import document
from flag_documents import answering, encoded, flags
import http1_hostile_cases as hostile
from flagstone_process import ASK_AGAIN_SECONDS, PATIENCE_SECONDS

# Cases up to so many bytes are sent a second time, byte by byte.
BYTEWISE_BYTES_MAX = 700
IDLE_CONNECTIONS = 10_000
IDLE_BYTES_MAX = 4096
FEW_DESCRIPTORS = 64
# The heads of frames on stream 0: a SETTINGS of three values, a GOAWAY without debug data.
HTTP2_SETTINGS = b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"
HTTP2_GOAWAY = b"\x00\x00\x08\x07\x00\x00\x00\x00\x00"
TCP_CLOSE, TCP_CLOSE_WAIT = 7, 8
STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) [ -~]*\r\n")


def address_of(daemon):
    host, port = daemon.tcp_address.rsplit(":", 1)
    return host, int(port)


def connected(daemon, receive_bytes=None):
    connection = socket.socket()
    if receive_bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.settimeout(PATIENCE_SECONDS)
    connection.connect(address_of(daemon))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_to_end(connection):
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionError:
        pass
    return received


def answers(received):
    """(status, body) of every answer; nothing else may be in what was received. What HTTP/2 says
    when a preface is none counts as one answer of status hostile.GOAWAY."""
    found = []
    if received.startswith(HTTP2_SETTINGS):
        assert received[-17:].startswith(HTTP2_GOAWAY), received[:200]
        return [(hostile.GOAWAY, b"")]
    while received:
        start = STATUS_LINE.match(received)
        assert start, received[:200]
        head, separator, rest = received.partition(b"\r\n\r\n")
        assert separator, received[:200]
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        size = int(length.group(1)) if length else 0
        found.append((int(start.group(1)), rest[:size]))
        received = rest[size:]
    return found


class Hostile(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.write("flags.json", encoded(flags({"answer": 1, "follow": 2, "smuggled": 3})))

    def launch_daemon(self, **more):
        return self.start("file:flags.json", **more)


class Table(Hostile):
    def say(self, sent, bytewise):
        with connected(self.daemon) as connection:
            try:
                for piece in ([bytes([byte]) for byte in sent] if bytewise else [sent]):
                    connection.sendall(piece)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # Closed by the daemon while we were still sending: it has answered.
            return answers(read_to_end(connection))

    def test_the_table(self):
        self.daemon = self.launch_daemon()
        self.assertGreaterEqual(len(hostile.CASES), 60)
        evaluated = 0
        for name, sent, expected in hostile.CASES:
            for bytewise in (False, True):
                if bytewise and len(sent) > BYTEWISE_BYTES_MAX:
                    continue
                said = self.say(sent + hostile.FOLLOW, bytewise)
                evaluated += sum(status == 200 for status, _ in said)
                with self.subTest(name, bytewise=bytewise):
                    self.assertEqual(tuple(status for status, _ in said), expected)
                    self.assertFalse(any(b"smuggled" in body for _, body in said), said)
                    in_step = expected[-1:] == (200,) and len(expected) > 1
                    self.assertEqual(b'"follow"' in said[-1][1] if said else False, in_step, said)
        self.assertEqual(self.daemon.metric("flagstone_evaluations_total"), evaluated,
                         "what was evaluated was answered")
        self.assertTrue(self.daemon.alive)


class Watcher(threading.Thread):
    """A well-behaved client: asks all the time, on kept and on new connections, until stopped."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self._address = address_of(daemon)
        self._end = threading.Event()
        self.asked = 0
        self.wrong = []
        self.start()

    def run(self):
        while not self._end.is_set():
            client = http.client.HTTPConnection(*self._address, timeout=PATIENCE_SECONDS)
            try:
                for _ in range(20):
                    client.request("POST", "/ofrep/v1/evaluate/flags/answer", b'{"context":{}}',
                                   {"Content-Type": "application/json"})
                    answer = client.getresponse()
                    if answer.status != 200 or b'"value":1' not in answer.read():
                        self.wrong.append(answer.status)
                    self.asked += 1
                    if self._end.wait(ASK_AGAIN_SECONDS):
                        break
            except OSError as error:
                self.wrong.append(error)
            finally:
                client.close()

    def stop(self):
        self._end.set()
        self.join()


class SlowPeers(Hostile):
    """All kinds at once, as the limits take their seconds whoever waits for them."""
    # Few readers: beyond a quarter of the memory limit, bodies in pieces would be refused (503).
    PEERS = {"header": 50, "body": 50, "reader": 8}
    # Header 5 s, body 10 s, unread answers 10 s, looked at once a second.
    LIMITS = {"header": 5, "body": 10, "reader": 10}
    TICK = 1
    BUSY_MACHINE = 10

    def slow_header(self):
        connection = connected(self.daemon)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        return connection, lambda: connection.sendall(b"X: y\r\n")

    def slow_body(self):
        connection = connected(self.daemon)
        connection.sendall(hostile.with_fields(b"Content-Length: 1000\r\n", b"{"))
        return connection, lambda: connection.sendall(b" ")

    def slow_reader(self):
        connection = connected(self.daemon, receive_bytes=2048)
        connection.setblocking(False)
        connection.send(hostile.ALL_FLAGS * 50)
        return connection, lambda: None

    @staticmethod
    def ended(connection):
        """Whether the daemon has ended it, without reading what it may have sent."""
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
        return info[0] in (TCP_CLOSE, TCP_CLOSE_WAIT)

    def trickle(self, peers):
        """Sends a little of each until the daemon has ended it; when that was, by kind."""
        cut = {kind: [] for kind in self.LIMITS}
        started = time.monotonic()
        deadline = started + max(self.LIMITS.values()) + self.TICK + self.BUSY_MACHINE
        while peers and time.monotonic() < deadline:
            remaining = []
            for kind, connection, more in peers:
                try:
                    more()
                    over = self.ended(connection)
                except OSError:
                    over = True
                if over:
                    cut[kind].append(time.monotonic() - started)
                    connection.close()
                else:
                    remaining.append((kind, connection, more))
            peers = remaining
            time.sleep(0.2)  # The trickle's rate.
        return cut, peers

    def test_slow_peers_are_cut_and_nobody_waits_for_them(self):
        values = {f"flag-{number:04d}": "x" * 500 for number in range(1000)}
        self.write("flags.json", encoded(flags({"answer": 1, **values})))
        self.daemon = self.launch_daemon()
        healthy = Watcher(self.daemon)
        self.addCleanup(healthy.stop)
        peers = []
        for kind, make in (("header", self.slow_header), ("body", self.slow_body),
                           ("reader", self.slow_reader)):
            peers += [(kind, *make()) for _ in range(self.PEERS[kind])]
        for _, connection, _ in peers:
            self.addCleanup(connection.close)
        before = healthy.asked
        cut, uncut = self.trickle(peers)
        healthy.stop()
        self.assertEqual([kind for kind, _, _ in uncut], [])
        for kind, limit in self.LIMITS.items():
            with self.subTest(kind):
                self.assertEqual(len(cut[kind]), self.PEERS[kind])
                self.assertGreater(min(cut[kind]), limit - self.TICK)
        self.assertEqual(healthy.wrong, [])
        self.assertGreater(healthy.asked - before, 50)
        self.assertEqual(self.daemon.metric("flagstone_connection_timeouts_total"),
                         sum(self.PEERS.values()))


def anonymous_kib(daemon):
    return daemon.memory_kib("RssAnon")


def established(port):
    """How many connections the kernel counts at this port, on the server's side."""
    wanted = f":{port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        next(table)
        rows = (row.split() for row in table)
        # The table may show a row twice when it changes under the reader.
        return len({row[2] for row in rows if row[1].endswith(wanted) and row[3] == "01"})


def raised_limit(descriptors):
    """A wrapper command under which the daemon may have so many descriptors."""
    return ("sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh")


class Idle(Hostile):
    def setUp(self):
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.descriptors = IDLE_CONNECTIONS + 500
        if hard < self.descriptors:
            self.skipTest(f"needs {self.descriptors} descriptors, the hard limit is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, self.descriptors), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def test_ten_thousand_idle_connections(self):
        daemon = self.launch_daemon(options=["--max-connections", str(IDLE_CONNECTIONS + 100)],
                                    wrapper=raised_limit(self.descriptors))
        port = address_of(daemon)[1]
        first = connected(daemon)
        self.addCleanup(first.close)
        first.sendall(hostile.FOLLOW)
        first.recv(65536)  # What the first request allocates once is not a connection's.
        before = anonymous_kib(daemon)
        idle = [first]
        for number in range(IDLE_CONNECTIONS - 1):
            idle.append(connected(daemon))
            self.addCleanup(idle[-1].close)
            # Half of them have asked something before.
            if number % 2 == 0:
                idle[-1].sendall(hostile.FOLLOW)
                self.assertTrue(idle[-1].recv(65536))
        self.eventually(lambda: daemon.metric("flagstone_connections") == IDLE_CONNECTIONS,
                        "all of them to be accepted")
        self.assertEqual(established(port), IDLE_CONNECTIONS)
        each = (anonymous_kib(daemon) - before) * 1024 / IDLE_CONNECTIONS
        if not daemon.sanitized:
            self.assertLessEqual(each, IDLE_BYTES_MAX, "bytes of one connection at rest")
        # One more works, and those at rest still do.
        self.assertEqual(daemon.ofrep().value("answer"), 1)
        for connection in idle[::1000]:
            connection.sendall(hostile.FOLLOW)
            self.assertIn(b'"follow"', connection.recv(65536))
        for connection in idle:
            connection.close()
        self.eventually(lambda: daemon.metric("flagstone_connections") == 0, "all to be closed")


class Exhausted(Hostile):
    CONNECTIONS = 150
    MEASURED_SECONDS = 3
    CPU_SHARE_MAX = 0.05
    RECOVERY_SECONDS_MAX = 1

    def cpu_seconds(self, daemon):
        with open(f"/proc/{daemon.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_descriptors_run_out(self):
        fake = self.upstream(document(answering("first"), '"1"'))
        daemon = self.start(fake.uri(), wrapper=raised_limit(FEW_DESCRIPTORS),
                            options=["--max-connections", "1000"])
        self.assertEqual(daemon.ofrep().value(), "first")
        self.eventually(lambda: daemon.metric("flagstone_connections") == 0, "quiet")
        crowd = []
        for _ in range(self.CONNECTIONS):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex(address_of(daemon))
            crowd.append(connection)
            self.addCleanup(connection.close)
        daemon.await_metric("flagstone_connections_refused_total", 1)
        # Full: probes are answered, upstream is asked, and nothing spins.
        self.assertEqual(daemon.admin.get("/healthz").status, 200)
        asked, used = len(fake.requests), self.cpu_seconds(daemon)
        began = time.monotonic()
        fake.serve(document(answering("second"), '"2"'))
        self.eventually(lambda: len(fake.requests) >= asked + 3, "upstream to be asked again")
        remaining = self.MEASURED_SECONDS - (time.monotonic() - began)
        time.sleep(max(0, remaining))  # What is measured is time.
        share = (self.cpu_seconds(daemon) - used) / (time.monotonic() - began)
        if not daemon.sanitized:
            self.assertLess(share, self.CPU_SHARE_MAX)
        self.assertEqual(daemon.admin.get("/healthz").status, 200)
        for connection in crowd:
            connection.close()
        began = time.monotonic()
        self.eventually(lambda: daemon.ofrep().value() == "second", "service again")
        self.assertLess(time.monotonic() - began, self.RECOVERY_SECONDS_MAX)


CLONE_NEWNET = 0x40000000


def in_network_of(process, work):
    """Runs `work` in the process's network namespace; sockets made there stay there."""
    result = []

    def run():
        with open(f"/proc/{process.pid}/ns/net", encoding="ascii") as namespace:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        result.append(work())
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return result[0]


@require_root
@unittest.skipUnless(shutil.which("unshare") and shutil.which("ip"),
                     "needs unshare and ip, to take a network away")
class HalfOpen(Hostile):
    EACH = 20
    READER_SECONDS_MAX = 30
    KEEP_ALIVE_SECONDS_MAX = 30
    KEEP_ALIVE_TIMER = "02"
    JIFFIES = 100  # What /proc counts in, whatever the kernel does.

    def network(self, *command):
        subprocess.run(["nsenter", "-t", str(self.daemon.process.pid), "-n", *command], check=True)

    def timers(self):
        """(kind, seconds to go) of the daemon's connections' timers."""
        port = f":{address_of(self.daemon)[1]:04X}"
        found = []
        with open(f"/proc/{self.daemon.process.pid}/net/tcp", encoding="ascii") as table:
            for row in list(table)[1:]:
                columns = row.split()
                if columns[1].endswith(port) and columns[3] == "01":
                    kind, when = columns[5].split(":")
                    found.append((kind, int(when, 16) / self.JIFFIES))
        return found

    def probed(self):
        """How many connections have nothing under way."""
        return sum(kind == self.KEEP_ALIVE_TIMER for kind, _ in self.timers())

    def test_peers_that_vanish(self):
        values = {f"flag-{number:04d}": "x" * 500 for number in range(1000)}
        self.write("flags.json", encoded(flags({"answer": 1, **values})))
        self.socket = self.path("f.sock")
        self.daemon = self.launch_daemon(
            wait=None, listen=("127.0.0.1:0", f"unix:{self.socket}"),
            wrapper=["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$0" "$@"'])
        self.daemon.await_ready()
        gone = in_network_of(self.daemon.process, lambda: [
            (kind, connected(self.daemon, receive_bytes=2048))
            for kind in ("idle", "header", "reader") for _ in range(self.EACH)])
        said = {"idle": hostile.FOLLOW, "header": b"GET / HTTP/1.1\r\n",
                "reader": hostile.ALL_FLAGS * 50}
        for kind, connection in gone:
            self.addCleanup(connection.close)
            connection.setblocking(False)
            connection.send(said[kind])
        self.eventually(lambda: len(self.timers()) == len(gone), "all to be accepted")
        # What was answered must be acknowledged, or the kernel retransmits where it should probe.
        self.eventually(lambda: self.probed() == 2 * self.EACH, "answers to have arrived")
        self.network("ip", "link", "set", "lo", "down")
        self.eventually(lambda: len(self.timers()) == self.EACH,
                        "those with something under way to be cut", self.READER_SECONDS_MAX)
        self.assertEqual(self.daemon.unix(self.socket).value("answer"), 1)
        # The idle ones are the kernel's to find out; it does within half a minute and three probes.
        timers = self.timers()
        self.assertEqual(len(timers), self.EACH)
        for kind, seconds in timers:
            self.assertEqual(kind, self.KEEP_ALIVE_TIMER)
            self.assertLessEqual(seconds, self.KEEP_ALIVE_SECONDS_MAX)


if __name__ == "__main__":
    main()
