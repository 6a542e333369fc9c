"""memory_limit is a bound in bytes, and every flag stays right under it: 100,000 flags under 16 MiB, asked
one by one, all at once and while they change, beside a daemon without a limit. (Slow.)

The release build is measured when there is one, since sanitizers take memory of their own."""

import concurrent.futures
import os
import pathlib
import random
import socket
import time
import unittest

from bench import flag_set
from daemon_test_case import DaemonTestCase, main
from memory_cgroup import MemoryCgroup, Unavailable

MIB = 1 << 20
LIMIT = 16 * MIB
BESIDE_LIMIT = 8 * MIB          # code's own data, the allocator, libraries
FLAGS = 100_000
CONTEXT = {"targetingKey": "user-17", "email": "a@checkout.example.com", "country": "DE",
           "plan": "team", "appVersion": "5.1.0"}
RELEASE = pathlib.Path(__file__).resolve().parents[2] / "build" / "release" / "flagstone"
ATTACK_SECONDS = float(os.environ.get("FLAGSTONE_ATTACK_SECONDS", "10"))


class Capped(DaemonTestCase):
    flags = FLAGS

    def setUp(self):
        super().setUp()
        if RELEASE.is_file():
            before = os.environ.get("FLAGSTONE_BINARY")
            os.environ["FLAGSTONE_BINARY"] = str(RELEASE)
            if before is not None:
                self.addCleanup(os.environ.__setitem__, "FLAGSTONE_BINARY", before)
        else:
            self.flags = FLAGS // 10  # Sanitized code takes its time.
        self.keys = flag_set.keys(self.flags)

    def write_flags(self, name="flags.json", **more):
        return self.write(name, flag_set.document(self.flags, **more))

    def start_capped(self, **more):
        return self.start("file:flags.json", state="capped", options=("--memory-limit", "16MiB"),
                          **more)

    def check_memory(self, daemon):
        self.assertLessEqual(daemon.metric("flagstone_memory_bytes"), LIMIT)
        if not daemon.sanitized:
            self.assertLessEqual(daemon.memory_kib("RssAnon") * 1024, LIMIT + BESIDE_LIMIT)

    def ask(self, daemon, keys):
        with daemon.ofrep() as client:
            return [(answer.status, answer.body) for answer in
                    (client.evaluate(key, CONTEXT) for key in keys)]

    def bulk(self, daemon):
        with daemon.ofrep(timeout=120) as client:
            answer = client.bulk(CONTEXT)
        self.assertEqual(answer.status, 200)
        return {flag["key"]: flag for flag in answer.json["flags"]}


class Cap(Capped):
    def test_every_flag_is_right_and_the_bytes_stay_below(self):
        self.write_flags()
        capped = self.start_capped()
        free = self.start("file:flags.json", state="free", options=("--memory-limit", "1GiB"))
        self.await_state_written(capped)
        self.check_memory(capped)
        draw = random.Random(7)
        # Uniformly over all, and skewed: few are asked for often.
        uniform = draw.sample(self.keys, min(3000, len(self.keys)))
        skewed = [self.keys[int(len(self.keys) * draw.random() ** 6)] for _ in range(3000)]
        for keys in (uniform, skewed, skewed):
            self.assertEqual(self.ask(capped, keys), self.ask(free, keys))
            self.check_memory(capped)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            bulks = [pool.submit(self.bulk, capped) for _ in range(4)]
            while not all(bulk.done() for bulk in bulks):
                self.check_memory(capped)
                time.sleep(0.05)  # Between looks, not for anything to happen.
        expected = self.bulk(free)
        self.assertEqual(len(expected), self.flags)
        for bulk in bulks:
            self.assertEqual(bulk.result(), expected)
        # One flag changes; then the same document comes again from the state after a restart.
        self.write_flags(revision=1)
        for daemon in (capped, free):
            daemon.await_value(1, key=flag_set.REVISION_FLAG)
        self.check_memory(capped)
        self.assertEqual(self.ask(capped, uniform[:500]), self.ask(free, uniform[:500]))
        capped.stop()
        capped = self.start_capped()
        self.assertEqual(self.ask(capped, skewed[:500]), self.ask(free, skewed[:500]))
        self.check_memory(capped)

    def test_what_does_not_fit_beside_the_old_is_refused_and_the_old_answers(self):
        self.write_flags()
        capped = self.start_capped()
        before = self.ask(capped, self.keys[:200])
        self.write_flags(shift=5)
        capped.await_metric("flagstone_updates_total", at_least=1, result="refused")
        self.assertIn("memory limit", capped.source()["last_error"])
        self.assertEqual(self.ask(capped, self.keys[:200]), before)
        self.check_memory(capped)

    def test_many_updates_leave_memory_where_it_was(self):
        self.flags = 1000
        fake_flags = [flag_set.document(self.flags, revision=number) for number in range(2)]
        self.write("flags.json", fake_flags[0])
        daemon = self.start("file:flags.json")

        def replace(times):
            for number in range(1, times + 1):
                self.write("flags.json", fake_flags[number % 2])
                daemon.await_value(number % 2, key=flag_set.REVISION_FLAG)

        replace(10)
        self.await_state_written(daemon)
        used = daemon.metric("flagstone_memory_bytes")
        anonymous = daemon.memory_kib("RssAnon")
        replace(int(os.environ.get("FLAGSTONE_UPDATES", "300")))
        self.eventually(lambda: daemon.metric("flagstone_memory_bytes") <= used * 1.02 + 262144,
                        "what replaced flags took to be given back")
        if not daemon.sanitized:
            self.assertLessEqual(daemon.memory_kib("RssAnon"), anonymous + 1024)


class UnderAttack(Capped):
    """In a control group of limit × 1.25 + 16 MiB, with everything hostile at once: no kill."""

    def start_in_group(self):
        try:
            group = MemoryCgroup("flagstone-cap", int(LIMIT * 1.25) + 16 * MIB)
        except Unavailable as reason:
            self.skipTest(str(reason))
        # Last in, first out: the daemon has ended before the group goes.
        self.addCleanup(group.remove)
        return group

    def test_no_kill_in_a_control_group(self):
        if not RELEASE.is_file():
            self.skipTest("there is no release build; sanitizers take memory of their own")
        group = self.start_in_group()
        self.write_flags()
        daemon = self.start_capped(wrapper=group.wrapper())
        asked = [key for key in self.keys[:100] if key != flag_set.REVISION_FLAG]
        expected = self.ask(daemon, asked)
        until = time.monotonic() + ATTACK_SECONDS
        attacks = (self.half_bodies, self.endless_headers, self.slow_bulk_readers, self.big_contexts,
                   self.idle_crowd, self.updates, self.all_over_the_keys)
        with concurrent.futures.ThreadPoolExecutor(len(attacks)) as pool:
            running = [pool.submit(attack, daemon, until) for attack in attacks]
            while time.monotonic() < until:
                self.assertEqual(group.oom_kills(), 0)
                self.assertTrue(daemon.alive)
                time.sleep(0.2)  # Between looks.
            for attack in running:
                attack.result()
        self.assertEqual(group.oom_kills(), 0)
        self.assertEqual(self.ask(daemon, asked), expected)
        self.eventually(lambda: daemon.memory_kib("RssAnon") * 1024 <= LIMIT + BESIDE_LIMIT,
                        "memory to be back below its bound")

    @staticmethod
    def connect(daemon):
        host, port = daemon.tcp_address.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=10)

    @staticmethod
    def send_quietly(connection, data):
        try:
            connection.sendall(data)
            return True
        except OSError:
            return False

    def half_bodies(self, daemon, until):
        head = (b"POST /ofrep/v1/evaluate/flags HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/json\r\nContent-Length: 900000\r\n\r\n")
        while time.monotonic() < until:
            crowd = [self.connect(daemon) for _ in range(40)]
            for connection in crowd:
                self.send_quietly(connection, head + b" " * 800_000)
            for connection in crowd:
                connection.close()

    def endless_headers(self, daemon, until):
        while time.monotonic() < until:
            with self.connect(daemon) as connection:
                self.send_quietly(connection, b"GET / HTTP/1.1\r\n")
                for number in range(2000):
                    if not self.send_quietly(connection, b"X-%d: %s\r\n" % (number, b"a" * 100)):
                        break

    def slow_bulk_readers(self, daemon, until):
        ask = (b"POST /ofrep/v1/evaluate/flags HTTP/1.1\r\nHost: localhost\r\n"
               b"Content-Length: 0\r\n\r\n")
        while time.monotonic() < until:
            crowd = [self.connect(daemon) for _ in range(30)]
            for connection in crowd:
                self.send_quietly(connection, ask)
            for connection in crowd:
                try:
                    connection.recv(4096)
                except OSError:
                    pass
            time.sleep(0.5)  # They read nothing for a while: that is the attack.
            for connection in crowd:
                connection.close()

    def big_contexts(self, daemon, until):
        body = b'{"context":{"a":[' + b"[]," * 300_000 + b"[]]}}"
        while time.monotonic() < until:
            try:
                daemon.ofrep().request("POST", f"/ofrep/v1/evaluate/flags/{self.keys[0]}", body,
                                       {"Content-Type": "application/json"})
            except OSError:
                pass

    def idle_crowd(self, daemon, until):
        while time.monotonic() < until:
            crowd = []
            for _ in range(300):
                try:
                    crowd.append(self.connect(daemon))
                except OSError:
                    break
            time.sleep(0.5)  # They are idle: that is the attack.
            for connection in crowd:
                connection.close()

    def updates(self, daemon, until):
        revision = 1
        while time.monotonic() < until:
            self.write_flags(revision=revision)
            revision += 1
            time.sleep(0.5)  # The daemon is busy otherwise: whether it keeps up is not the point.

    def all_over_the_keys(self, daemon, until):
        draw = random.Random(3)
        while time.monotonic() < until:
            try:
                with daemon.ofrep() as client:
                    for _ in range(200):
                        answer = client.evaluate(draw.choice(self.keys), CONTEXT)
                        self.assertIn(answer.status, (200, 503))
            except OSError:
                pass  # Cut among the crowd.


if __name__ == "__main__":
    main()
