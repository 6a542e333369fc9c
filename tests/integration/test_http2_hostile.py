"""Peers that misuse HTTP/2: each is cut or bounded, and everybody else is answered as before.
Figures are those of table 1 of the project's reliability targets."""

import json
import struct
import unittest

from daemon_test_case import DaemonTestCase
from http2_frames import (CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM,
                          HEADERS, PING, PROTOCOL_ERROR, RST_STREAM, SETTINGS_INITIAL_WINDOW_SIZE,
                          WINDOW_UPDATE, PREFACE, RawConnection, frame, header_block, integer,
                          literal, request, request_fields, settings)
import flag_documents

ONE = "/ofrep/v1/evaluate/flags/answer"
ALL = "/ofrep/v1/evaluate/flags"
ATTEMPTS = 30_000
STREAMS_MOST = 2_000          # of an attack by resets, before the connection ends
CONTINUATION_MOST = 256 << 10
CONTROL_FRAMES = 800_000
KIB_MOST = 1024               # by which the daemon's memory may grow
KIB_OF_STREAMS = 512          # what a connection with 100 open streams takes beside their answers
KIB_NOISE = 512               # pages of the allocator and of libraries that are touched anyway
CANCEL = struct.pack(">I", 8)


class HostileHttp2(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.socket = "unix:" + self.path("f.sock")
        flags = self.write("flags.json", flag_documents.answering("right", padding=200))
        self.daemon = self.start("file:" + flags, listen=("127.0.0.1:0", self.socket))
        self.check_others_are_answered()  # Also warms what the first requests touch.
        connection = self.connect()
        connection.send(request(1, ONE, b"{}"))
        connection.await_frame(DATA, 1)

    def connect(self, address=None, **more):
        connection = RawConnection(address or self.daemon.tcp_address, **more)
        self.addCleanup(connection.close)
        return connection

    def check_others_are_answered(self):
        self.assertEqual(self.daemon.ofrep().value("answer"), "right")

    def check_memory(self, before_kib, most_kib=KIB_MOST):
        if not self.daemon.sanitized:
            grown = self.daemon.memory_kib("RssAnon") - before_kib
            self.assertLessEqual(grown, most_kib + KIB_NOISE)

    def check_reset_budget(self, attack, ends_with=ENHANCE_YOUR_CALM):
        """`attack(stream)` gives the bytes of one more stream that is reset."""
        before = self.daemon.memory_kib("RssAnon")
        connection = self.connect()
        for number in range(ATTEMPTS):
            if not connection.send(attack(2 * number + 1)) or connection.ended:
                break
        last_stream, code = connection.goaway()
        self.assertEqual(code, ends_with)
        self.assertLessEqual((last_stream + 1) // 2, STREAMS_MOST)
        connection.await_end()
        if ends_with == ENHANCE_YOUR_CALM:
            self.daemon.await_metric("flagstone_http2_floods_total", 1)
        self.check_memory(before)
        self.check_others_are_answered()

    def test_rapid_reset(self):
        self.check_reset_budget(lambda stream: request(stream, ONE, b"") +
                                frame(RST_STREAM, 0, stream, CANCEL))

    def test_rapid_reset_of_half_requests(self):
        block = header_block(request_fields(ONE))
        self.check_reset_budget(lambda stream: frame(HEADERS, END_HEADERS, stream, block) +
                                frame(RST_STREAM, 0, stream, CANCEL))

    def test_made_you_reset_by_window_updates_of_zero(self):
        block = header_block(request_fields(ONE))
        self.check_reset_budget(lambda stream: frame(HEADERS, END_HEADERS, stream, block) +
                                frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 0)),
                                ends_with=PROTOCOL_ERROR)  # nghttp2 forgives none of these.

    def test_made_you_reset_by_overflowing_windows(self):
        block = header_block(request_fields(ONE))
        self.check_reset_budget(lambda stream: frame(HEADERS, END_HEADERS, stream, block) +
                                frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 0x7fffffff)))

    def test_made_you_reset_by_malformed_requests(self):
        block = header_block([(":method", "GET"), ("connection", "close")])
        self.check_reset_budget(
            lambda stream: frame(HEADERS, END_HEADERS | END_STREAM, stream, block))

    def test_continuation_flood(self):
        before = self.daemon.memory_kib("RssAnon")
        connection = self.connect(self.socket)
        connection.send(frame(HEADERS, 0, 1, header_block(request_fields(ONE))))
        filler = literal("x-filler", "y" * 16_000)
        while connection.await_taken() and connection.sent_bytes < 64 << 20:
            if not connection.send(frame(CONTINUATION, 0, 1, filler)):
                break
        connection.await_end()
        self.assertLessEqual(connection.sent_bytes, CONTINUATION_MOST)
        self.check_memory(before)
        self.check_others_are_answered()

    def test_continuation_flood_of_empty_frames(self):
        connection = self.connect(self.socket)
        connection.send(frame(HEADERS, 0, 1, header_block(request_fields(ONE))))
        empty = frame(CONTINUATION, 0, 1) * 64
        while connection.await_taken() and connection.sent_bytes < 64 << 20:
            if not connection.send(empty):
                break
        connection.await_end()
        self.assertLessEqual(connection.sent_bytes, CONTINUATION_MOST)
        self.check_others_are_answered()

    def check_control_flood(self, one_frame):
        before = self.daemon.memory_kib("RssAnon")
        connection = self.connect(self.socket, reads=False)
        batch = one_frame * 100
        sent = 0
        while sent < CONTROL_FRAMES and connection.send(batch):
            sent += 100
        self.assertLess(sent, CONTROL_FRAMES, "the flood was taken to its end")
        self.daemon.await_metric("flagstone_http2_floods_total", 1)
        self.check_memory(before)
        self.check_others_are_answered()

    def test_ping_flood_by_a_peer_that_never_reads(self):
        self.check_control_flood(frame(PING, 0, 0, b"12345678"))

    def test_settings_flood_by_a_peer_that_never_reads(self):
        self.check_control_flood(settings([(SETTINGS_INITIAL_WINDOW_SIZE, 65535)]))

    def test_flood_of_unasked_acknowledgements(self):
        self.check_control_flood(frame(PING, 1, 0, b"12345678"))

    def test_hpack_bomb(self):
        before = self.daemon.memory_kib("RssAnon")
        connection = self.connect()
        # One field of 3 KiB enters the dynamic table (index 62) and is named 4,000 times: 12 MiB.
        block = (header_block(request_fields(ONE)) + literal("x-bomb", "b" * 3_000, indexed=True) +
                 integer(62, 7, 0x80) * 4_000)
        self.assertLess(len(block), 16_384)
        connection.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block))
        # 431 on the stream, a reset of it, or the connection's end: never the flag.
        self.eventually(lambda: connection.ended or connection.frames(HEADERS, 1) or
                        connection.frames(RST_STREAM, 1), "a refusal")
        self.assertNotIn(b"right", b"".join(f[3] for f in connection.frames(DATA, 1)))
        self.check_memory(before)
        self.check_others_are_answered()

    def test_body_in_frames_of_one_byte(self):
        before = self.daemon.memory_kib("RssAnon")
        connection = self.connect()
        body = json.dumps({"context": {"filler": "x" * 20_000}}).encode()
        connection.send(frame(HEADERS, END_HEADERS, 1, header_block(request_fields(ONE))))
        pieces = b"".join(frame(DATA, 0, 1, body[i:i + 1]) for i in range(len(body) - 1))
        connection.send(pieces + frame(DATA, END_STREAM, 1, body[-1:]))
        # Slow, but proper: either it is answered or the connection ends calmly.
        self.eventually(lambda: connection.ended or connection.frames(DATA, 1), "an end of it")
        self.check_memory(before)
        self.check_others_are_answered()

    def test_empty_data_frames_without_end(self):
        connection = self.connect()
        connection.send(frame(HEADERS, END_HEADERS, 1, header_block(request_fields(ONE))))
        empty = frame(DATA, 0, 1) * 100
        for _ in range(ATTEMPTS // 10):
            if not connection.send(empty) or connection.ended:
                break
        connection.await_end()
        self.check_others_are_answered()

    def test_answers_that_the_window_does_not_let_out(self):
        before = self.daemon.memory_kib("RssAnon")
        hoarders = [self.connect(opening=PREFACE + settings([(SETTINGS_INITIAL_WINDOW_SIZE, 0)]))
                    for _ in range(4)]
        for connection in hoarders:
            for stream in range(1, 2 * 100, 2):
                connection.send(request(stream, ALL, b"{}"))
        for connection in hoarders:
            connection.await_frame(HEADERS)
        self.check_others_are_answered()
        self.check_memory(before, most_kib=4 * (1024 + KIB_OF_STREAMS))
        # Nothing of what waits is taken: the write stall limit ends them.
        for connection in hoarders:
            connection.await_end(limit_seconds=40)
        self.check_others_are_answered()

    def test_header_that_never_ends_in_time(self):
        connection = self.connect()
        connection.send(frame(HEADERS, 0, 1, header_block(request_fields(ONE))))
        connection.await_end(limit_seconds=15)
        self.check_others_are_answered()

    def test_body_that_never_ends_in_time(self):
        connection = self.connect()
        connection.send(frame(HEADERS, END_HEADERS, 1, header_block(request_fields(ONE))))
        connection.send(frame(DATA, 0, 1, b"{"))
        self.eventually(lambda: connection.ended or connection.frames(RST_STREAM, 1), "a cut",
                        timeout=25)
        self.check_others_are_answered()

    def test_more_streams_than_allowed(self):
        connection = self.connect()
        block = header_block(request_fields(ONE))
        for stream in range(1, 2 * 150, 2):
            connection.send(frame(HEADERS, END_HEADERS, stream, block))
        connection.await_frame(RST_STREAM)
        connection.send(frame(DATA, END_STREAM, 1, b"{}"))
        connection.await_frame(DATA, 1)
        self.check_others_are_answered()

    def test_preface_that_stops_in_the_middle(self):
        connection = self.connect(opening=PREFACE[:7])
        connection.await_end(limit_seconds=15)
        self.check_others_are_answered()

    def test_preface_byte_by_byte(self):
        connection = self.connect(opening=b"")
        for byte in PREFACE + settings() + request(1, ONE, b"{}"):
            connection.send(bytes([byte]))
        self.assertIn(b"right", connection.await_frame(DATA, 1)[3])

    def test_garbage_behind_the_preface(self):
        connection = self.connect(opening=PREFACE + b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 9)
        connection.await_end()
        self.check_others_are_answered()


if __name__ == "__main__":
    unittest.main(verbosity=2)
