"""Calls by the Connect protocol over HTTP/1.1, JSON: unary, and streams that are read message by
message. Python's standard library is enough for it."""

import json
import struct

END = 2  # The flag of a stream's last message, which says how it ended.


def call(client, path, message=None, headers=None):
    """A unary call: the Answer."""
    return client.post(path, message or {}, headers)


class ConnectStream:
    """A server stream; reads until closed."""

    def __init__(self, client, path, message=None, headers=None):
        body = json.dumps(message or {}).encode()
        self._connection = client.connection()
        self._connection.request(
            "POST", path, struct.pack(">BI", 0, len(body)) + body,
            {"Content-Type": "application/connect+json", **(headers or {})})
        self.response = self._connection.getresponse()
        self.ended = None

    def next(self):
        """The next message; None at the end, when `ended` is what the server said of it, or "cut"
        when it said nothing."""
        head = self.response.read(5)
        if len(head) < 5:
            self.ended = "cut"
            return None
        flags, size = struct.unpack(">BI", head)
        message = json.loads(self.response.read(size))
        if not flags & END:
            return message
        self.ended = message
        return None

    def end(self):
        """Reads to the end; how the server ended it."""
        while self.next() is not None:
            pass
        return self.ended

    def close(self):
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
