"""A small OFREP and admin client over TCP or a Unix socket, as a demanding app would write it."""

import http.client
import json
import socket

REQUEST_TIMEOUT_SECONDS = 30


class Answer:
    """Status, headers (names in lower case) and body of one HTTP answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    def header(self, name):
        return self.headers.get(name.lower())

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def value(self):
        """The evaluated value; None when the answer carries none."""
        return self.json.get("value") if self.status == 200 else None

    @property
    def metadata(self):
        return self.json.get("metadata", {})

    @property
    def stale(self):
        return self.metadata.get("flagstone.stale", False)

    @property
    def error_code(self):
        return self.json.get("errorCode")

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:2000]!r}>"


class UnixHTTPConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Client:
    """Talks to one address ("127.0.0.1:PORT" or "unix:PATH"), one connection per request unless
    used as a context manager, which keeps one alive."""

    def __init__(self, address, headers=None, timeout=REQUEST_TIMEOUT_SECONDS):
        self.address = address
        self.headers = dict(headers or {})
        self.timeout = timeout
        self._kept = None

    def __enter__(self):
        self._kept = self.connection()
        return self

    def __exit__(self, *_):
        self._kept.close()
        self._kept = None

    def connection(self):
        if self.address.startswith("unix:"):
            return UnixHTTPConnection(self.address[len("unix:"):], self.timeout)
        host, port = self.address.rsplit(":", 1)
        return http.client.HTTPConnection(host, int(port), timeout=self.timeout)

    def request(self, method, path, body=None, headers=None):
        connection = self._kept or self.connection()
        try:
            connection.request(method, path, body, {**self.headers, **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            if connection is not self._kept:
                connection.close()

    def get(self, path, headers=None):
        return self.request("GET", path, None, headers)

    def post(self, path, value, headers=None):
        """Posts a JSON value, or bytes as they are."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.request("POST", path, body, {"Content-Type": "application/json",
                                                 **(headers or {})})

    def evaluate(self, key, context=None, headers=None):
        return self.post(f"/ofrep/v1/evaluate/flags/{key}", {"context": context or {}}, headers)

    def bulk(self, context=None, headers=None, query=""):
        return self.post(f"/ofrep/v1/evaluate/flags{query}", {"context": context or {}}, headers)

    def value(self, key="answer", context=None):
        return self.evaluate(key, context).value

    def bulk_values(self, context=None, headers=None):
        return {item["key"]: item.get("value") for item in self.bulk(context, headers).json["flags"]}


class EventStream:
    """GET on an event stream; reads events until closed."""

    def __init__(self, client, path="/ofrep/v1/sse", headers=None):
        self._connection = client.connection()
        self._connection.request("GET", path, headers={**client.headers, **(headers or {}),
                                                       "Accept": "text/event-stream"})
        self.response = self._connection.getresponse()

    def next_event(self):
        """The fields of the next event as a dictionary; comments are skipped."""
        event = {}
        while True:
            line = self.response.readline()
            if not line:
                return None
            text = line.decode().rstrip("\r\n")
            if not text:
                if event:
                    return event
            elif not text.startswith(":"):
                name, _, value = text.partition(":")
                event[name] = event.get(name, "") + value.lstrip(" ")

    def close(self):
        self._connection.close()
