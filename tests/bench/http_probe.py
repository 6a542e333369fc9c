"""One keep-alive HTTP connection for the measuring that needs no load: asks, reads to the answer's end."""

import json
import socket

CONTEXT = {
    "targetingKey": "user-48151623",
    "email": "ada@example.org",
    "country": "DE",
    "plan": "premium",
    "appVersion": "4.8.15",
}
SINGLE_PATH = "/ofrep/v1/evaluate/flags/"
BULK_PATH = "/ofrep/v1/evaluate/flags"
ANSWER_LIMIT_SECONDS = 10


def evaluation_request(path):
    """The exact bytes of a POST with the benchmark's five attributes."""
    body = json.dumps({"context": CONTEXT}, separators=(",", ":"))
    header = (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load-client\r\n"
              "Accept: application/json\r\nContent-Type: application/json\r\n"
              f"Content-Length: {len(body)}\r\n\r\n")
    return (header + body).encode()


class Answer:
    def __init__(self, raw, status, body):
        self.raw = raw
        self.status = status
        self.body = body

    def json(self):
        return json.loads(self.body)


class HttpProbe:
    """`target` is HOST:PORT or unix:PATH; the constructor raises OSError while nobody listens."""

    def __init__(self, target):
        if target.startswith("unix:"):
            self._socket = socket.socket(socket.AF_UNIX)
            address = target.removeprefix("unix:")
        else:
            self._socket = socket.socket(socket.AF_INET)
            host, port = target.rsplit(":", 1)
            address = (host, int(port))
        self._socket.settimeout(ANSWER_LIMIT_SECONDS)
        try:
            self._socket.connect(address)
        except OSError:
            self._socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def ask(self, request):
        self._socket.sendall(request)
        raw = bytearray()
        head_end = self._receive_until(raw, b"\r\n\r\n", 0)
        status, *lines = bytes(raw[:head_end]).split(b"\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        body_at = head_end + len(b"\r\n\r\n")
        if fields.get(b"transfer-encoding") == b"chunked":
            body = self._receive_chunks(raw, body_at)
        else:
            self._receive_to(raw, body_at + int(fields.get(b"content-length", 0)))
            body = raw[body_at:]
        return Answer(bytes(raw), int(status.split()[1]), bytes(body))

    def _receive_chunks(self, raw, at):
        """The body in the chunks that begin there; the last has no trailers."""
        body = bytearray()
        while True:
            line_end = self._receive_until(raw, b"\r\n", at)
            size = int(raw[at:line_end], 16)
            at = line_end + len(b"\r\n")
            self._receive_to(raw, at + size + len(b"\r\n"))
            body += raw[at:at + size]
            at += size + len(b"\r\n")
            if not size:
                return body

    def _receive_until(self, raw, wanted, begin):
        """Where that is, from there on."""
        while (found := raw.find(wanted, begin)) < 0:
            raw += self._receive()
        return found

    def _receive_to(self, raw, size):
        while len(raw) < size:
            raw += self._receive()

    def ask_flag(self, key):
        return self.ask(evaluation_request(SINGLE_PATH + key))

    def ask_path(self, path):
        return self.ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def _receive(self):
        received = self._socket.recv(1 << 18)
        if not received:
            raise ConnectionError("the server closed the connection")
        return received
