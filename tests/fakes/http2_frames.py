"""HTTP/2 frames as bytes, and a connection that says exactly what a test wants and remembers what it
hears. No library: a proper one would not let a test misbehave. RFC 9113; HPACK by literals only."""

import fcntl
import socket
import struct
import termios
import threading
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE = 0, 1, 2, 3, 4, 5
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
ACK = END_STREAM = 1
END_HEADERS = 4
SETTINGS_INITIAL_WINDOW_SIZE = 4
PROTOCOL_ERROR, ENHANCE_YOUR_CALM = 1, 11


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(values=()):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in values))


def integer(value, prefix_bits, first=0):
    """HPACK's integer (RFC 7541, 5.1); `first` holds the bits before the prefix."""
    most = (1 << prefix_bits) - 1
    if value < most:
        return bytes([first | value])
    out = bytes([first | most])
    value -= most
    while value >= 128:
        out += bytes([value % 128 + 128])
        value //= 128
    return out + bytes([value])


def text(value):
    raw = value.encode()
    return integer(len(raw), 7) + raw


def literal(name, value, indexed=False):
    """A field as it is, with or without an entry in the dynamic table."""
    return (b"\x40" if indexed else b"\0") + text(name) + text(value)


def header_block(fields):
    return b"".join(literal(name, value) for name, value in fields)


def request_fields(path, method="POST", content_type="application/json", **more):
    return [(":method", method), (":scheme", "http"), (":path", path), (":authority", "localhost"),
            ("content-type", content_type), *more.items()]


def request(stream, path, body=b"", **more):
    """HEADERS, and DATA unless there is no body."""
    block = header_block(request_fields(path, **more))
    if not body:
        return frame(HEADERS, END_HEADERS | END_STREAM, stream, block)
    return frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, END_STREAM, stream, body)


class RawConnection:
    """Reads in a thread of its own unless told not to; frames are (kind, flags, stream, payload)."""

    def __init__(self, address, opening=PREFACE + settings(), reads=True):
        if address.startswith("unix:"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(address.removeprefix("unix:"))
        else:
            host, port = address.rsplit(":", 1)
            self.socket = socket.create_connection((host, int(port)))
        self.socket.settimeout(30)
        self._frames = []
        self._changed = threading.Condition()
        self._ended = False
        self.sent_bytes = 0
        if reads:
            self._reader = threading.Thread(target=self._read, daemon=True)
            self._reader.start()
        self.send(opening)

    def _read(self):
        held = b""
        while True:
            try:
                received = self.socket.recv(1 << 16)
            except OSError:
                received = b""
            with self._changed:
                held += received
                while len(held) >= 9 and len(held) >= 9 + int.from_bytes(held[:3], "big"):
                    end = 9 + int.from_bytes(held[:3], "big")
                    stream = int.from_bytes(held[5:9], "big") & 0x7fffffff
                    self._frames.append((held[3], held[4], stream, held[9:end]))
                    held = held[end:]
                self._ended = not received
                self._changed.notify_all()
            if not received:
                return

    def send(self, data):
        """True when it was sent; False when the peer has gone."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionError):
            return False
        self.sent_bytes += len(data)
        return True

    def await_taken(self, limit_seconds=10):
        """Unix sockets: until the peer has read all that was sent, or is gone."""
        deadline = time.monotonic() + limit_seconds
        while time.monotonic() < deadline and not self.ended:
            waiting = struct.unpack("i", fcntl.ioctl(self.socket, termios.TIOCOUTQ, b"\0" * 4))[0]
            if waiting == 0:
                return True
            time.sleep(0.0005)
        return False

    @property
    def ended(self):
        with self._changed:
            return self._ended

    def frames(self, kind=None, stream=None):
        with self._changed:
            return [f for f in self._frames
                    if kind in (None, f[0]) and stream in (None, f[2])]

    def await_frame(self, kind, stream=None, count=1, limit_seconds=30):
        with self._changed:
            def found():
                return [f for f in self._frames if f[0] == kind and stream in (None, f[2])]
            self._changed.wait_for(lambda: len(found()) >= count or self._ended, limit_seconds)
            if len(found()) < count:
                raise AssertionError(f"no frame of kind {kind} on stream {stream}; "
                                     f"{len(self._frames)} frames came, ended: {self._ended}")
            return found()[-1]

    def await_end(self, limit_seconds=30):
        with self._changed:
            if not self._changed.wait_for(lambda: self._ended, limit_seconds):
                raise AssertionError("the peer keeps the connection")

    def goaway(self):
        """(last stream, error code) of the GOAWAY that came."""
        _, _, _, payload = self.await_frame(GOAWAY)
        return struct.unpack(">II", payload[:8])

    def close(self):
        self.socket.close()
