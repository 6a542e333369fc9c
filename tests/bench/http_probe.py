"""One keep-alive HTTP connection for the measuring that needs no load: asks, reads to Content-Length."""

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
        raw = b""
        while b"\r\n\r\n" not in raw:
            raw += self._receive()
        header, _, body = raw.partition(b"\r\n\r\n")
        length = 0
        for line in header.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            more = self._receive()
            raw += more
            body += more
        return Answer(raw, int(header.split()[1]), body)

    def ask_flag(self, key):
        return self.ask(evaluation_request(SINGLE_PATH + key))

    def ask_path(self, path):
        return self.ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def _receive(self):
        received = self._socket.recv(1 << 18)
        if not received:
            raise ConnectionError("the server closed the connection")
        return received
