"""An upstream that speaks flagd.sync.v1's SyncFlags and sends a document when it is told to. HTTP/2 by
hand, as the fakes have it: one stream, flow control, nothing else."""

import pathlib
import socket
import struct
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fakes"))

import grpc_frames  # noqa: E402
from http2_frames import (DATA, END_HEADERS, HEADERS, PREFACE, frame, header_block,  # noqa: E402
                          settings)

SETTINGS, PING, WINDOW_UPDATE = 4, 6, 8
ACK = 1
INITIAL_WINDOW_SIZE = 4
FRAME_BYTES = 16384
PATIENCE_SECONDS = 10


class SyncUpstream:
    """Serves one client at a time until the `with` block ends."""

    def __init__(self, document):
        self._document = document
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"grpc://127.0.0.1:{self._listener.getsockname()[1]}"
        self._changed = threading.Condition()
        self._connection = None
        self._stream = None
        self._initial_window = 65535
        self._windows = {}
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE_SECONDS)

    def prepared(self, document):
        """The DATA's content of a message with this document, so that push() has only to send."""
        return grpc_frames.message(grpc_frames.field(1, document.encode()))

    def push(self, message):
        """Sends it on the open stream, as fast as the client's windows let it."""
        at = 0
        while at < len(message):
            with self._changed:
                if not self._changed.wait_for(lambda: self._stream and self._room() > 0,
                                              PATIENCE_SECONDS):
                    raise OSError("the client opened no window")
                piece = message[at:at + self._room()]
                for number in (0, self._stream):
                    self._windows[number] -= len(piece)
                stream = self._stream
            self._connection.sendall(b"".join(
                frame(DATA, 0, stream, piece[begin:begin + FRAME_BYTES])
                for begin in range(0, len(piece), FRAME_BYTES)))
            at += len(piece)

    def _room(self):
        return min(self._windows[0], self._windows[self._stream])

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as received:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._connection, self._windows = connection, {0: 65535}
                try:
                    self._converse(received)
                except OSError:
                    pass
                self._stream = None

    def _converse(self, received):
        if received.read(len(PREFACE)) != PREFACE:
            return
        self._connection.sendall(settings())
        while True:
            head = received.read(9)
            if len(head) < 9:
                return
            stream = int.from_bytes(head[5:9], "big") & 0x7fffffff
            payload = received.read(int.from_bytes(head[:3], "big"))
            self._take(head[3], head[4], stream, payload)

    def _take(self, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload), 6):
                name, value = struct.unpack_from(">HI", payload, at)
                if name == INITIAL_WINDOW_SIZE:
                    self._initial_window = value
            self._connection.sendall(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self._connection.sendall(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE:
            with self._changed:
                more = int.from_bytes(payload, "big")
                self._windows[stream] = self._windows.get(stream, self._initial_window) + more
                self._changed.notify_all()
        elif kind == HEADERS:
            self._answer(stream)

    def _answer(self, stream):
        self._connection.sendall(frame(HEADERS, END_HEADERS, stream, header_block(
            [(":status", "200"), ("content-type", "application/grpc")])))
        with self._changed:
            self._windows.setdefault(stream, self._initial_window)
            self._stream = stream
            self._changed.notify_all()
        # Not by this thread, which has to read the windows meanwhile.
        threading.Thread(target=self.push, args=(self.prepared(self._document),), daemon=True).start()
