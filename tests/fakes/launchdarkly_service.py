"""A stand-in for LaunchDarkly's service: FDv1 and FDv2, streamed and polled, and the events service.

It plays what a test says (set_flag, delete_flag, accept_keys, fall_back, interfere, die, revive) and
records every request and every event posted. All of it is on one port, as behind a relay. Flags and
segments are texts and go out byte for byte. Threads and locks as in ScriptedUpstream.
"""

import email.utils
import gzip
import socket
import threading
import urllib.parse

from launchdarkly_events import Posted, evaluations, summary_counts
from launchdarkly_flags import compact
from launchdarkly_streams import Stream, fdv1_change, fdv1_put, fdv2_events
from scripted_upstream import Exchange, ScriptedUpstream, parse_head

SDK_KEY = "sdk-key-one"
STREAMS = {"/all": 1, "/sdk/stream": 2}


class LaunchDarklyService(ScriptedUpstream):
    def __init__(self, *flags, segments=(), keys=(SDK_KEY,), fdv1=True, fdv2=True, payload="p1"):
        self.keys = set(keys)
        self.fdv1, self.fdv2 = fdv1, fdv2
        self.payload = payload  # Its id; with the version it makes the selector's state.
        self.version = 1
        self.compressed = False  # Polled documents, for those that accept gzip.
        self.piece = 0  # Streams are written in pieces of so many bytes; 0: event by event.
        self._objects = {"flag": {}, "segment": {}}
        self._log = []  # (version, kind, key) of every change.
        self._log_begins = 1
        self._fallback = None
        self._interferences = {}
        self._streams = set()
        self._posted = []
        self._state = threading.RLock()
        for kind, objects in (("flag", flags), ("segment", segments)):
            for value in objects:
                self._objects[kind][value["key"]] = (value["version"], compact(value))
        super().__init__(self._answer)

    # What the test says.

    def set_flag(self, value):
        self.set_text("flag", value["key"], value["version"], compact(value))

    def set_segment(self, value):
        self.set_text("segment", value["key"], value["version"], compact(value))

    def set_text(self, kind, key, version, text):
        """Changes one object, in the vendor's own bytes, and tells every stream."""
        with self._state:
            self._objects[kind][key] = (version, text)
            self._tell(kind, key, version, text)

    def delete_flag(self, key, version=None):
        with self._state:
            before = self._objects["flag"].pop(key, (0, ""))[0]
            self._tell("flag", key, version or before + 1, None)

    def replace(self, *flags, segments=()):
        """Another whole environment: a full put to FDv1, a full transfer to FDv2."""
        with self._state:
            self._objects = {
                kind: {value["key"]: (value["version"], compact(value)) for value in objects}
                for kind, objects in (("flag", flags), ("segment", segments))}
            self.version += 1
            self.forget_changes()
            for stream in self._streams:
                stream.send(self._first(stream.generation, None))

    def forget_changes(self):
        """Whoever comes with an older basis gets everything: cant-catchup."""
        with self._state:
            self._log.clear()
            self._log_begins = self.version

    def accept_keys(self, *keys):
        self.keys = set(keys)

    def fall_back(self, ttl=None):
        """From now on FDv2 answers tell to use FDv1; fall_back(None) by no_fall_back()."""
        self._fallback = [("X-LD-FD-Fallback", "true")]
        if ttl is not None:
            self._fallback.append(("X-LD-FD-Fallback-TTL", str(ttl)))

    def no_fall_back(self):
        self._fallback = None

    def interfere(self, path, behaviour):
        """Requests of that path are answered by a behaviour (behaviours.py) until heal()."""
        with self._state:
            self._interferences[path] = behaviour

    def heal(self, *paths):
        with self._state:
            for path in paths or list(self._interferences):
                self._interferences.pop(path, None)
            self.generation += 1

    def send_to_streams(self, data):
        """These bytes to everybody who streams."""
        with self._state:
            for stream in self._streams:
                stream.send(data)

    def heartbeat(self):
        self.send_to_streams(b":\n\n")

    def end_streams(self):
        with self._state:
            for stream in self._streams:
                stream.end()

    # What the test asks.

    def requests_to(self, path):
        return [r for r in self.requests if r.target.partition("?")[0] == path]

    def await_requests_to(self, path, count=1, timeout=30):
        """Waits until so many requests of that path came, and returns all of them."""
        with self._changed:
            def found():
                return [r for r in self._requests if r.target.partition("?")[0] == path]
            if not self._changed.wait_for(lambda: len(found()) >= count, timeout):
                raise AssertionError(f"{len(found())} of {count} requests to {path} came: "
                                     f"{[(r.method, r.target) for r in self._requests][-20:]}")
            return found()

    def await_streams(self, count=1, timeout=30):
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._streams) == count, timeout):
                raise AssertionError(f"{len(self._streams)} streams, not {count}")

    @property
    def streams(self):
        with self._state:
            return len(self._streams)

    def posted(self, path="/bulk"):
        """What was accepted there so far."""
        with self._changed:
            return [batch for batch in self._posted if batch.path == path]

    def await_posted(self, enough, what, path="/bulk", timeout=30):
        """Waits until `enough(batches)`; returns the batches."""
        def found():
            return [batch for batch in self._posted if batch.path == path]
        with self._changed:
            if not self._changed.wait_for(lambda: enough(found()), timeout):
                raise AssertionError(f"waited for {what}; posted: {found()}")
            return found()

    def await_evaluations(self, expected, timeout=30):
        """Waits until the summaries tell of at least these counts by flag."""
        def enough(batches):
            counts = evaluations(batches)
            return all(counts.get(key, 0) >= count for key, count in expected.items())
        return self.await_posted(enough, f"summaries of {expected}", timeout=timeout)

    def summary_counts(self):
        return summary_counts(self.posted())

    def uri(self, path="", host=None):
        return super().uri(path, host)

    # What it answers.

    def _answer(self, exchange):
        request = exchange.request
        url = urllib.parse.urlsplit(request.target)
        basis = urllib.parse.parse_qs(url.query).get("basis", [None])[0]
        with self._state:
            interference = self._interferences.get(url.path)
        if interference is not None:
            interference(exchange)
        elif request.header("Authorization") not in self.keys:
            self._say(exchange, 401, b'{"message":"invalid SDK key"}')
        elif request.method == "POST" and url.path in ("/bulk", "/diagnostic"):
            self.accept(exchange)
            self._say(exchange, 202)
        elif request.method != "GET" or not self._knows(url.path):
            self._say(exchange, 404, b'{"message":"not found"}')
        elif url.path in STREAMS:
            self._stream(exchange, STREAMS[url.path], basis)
        else:
            self._poll(exchange, url.path, basis)

    def accept(self, exchange):
        """Takes the posted events; what is answered is another matter."""
        with self._changed:
            self._posted.append(Posted(exchange.request, exchange.request.body))
            self._changed.notify_all()

    def _knows(self, path):
        return (path in ("/all", "/sdk/latest-all") and self.fdv1
                or path in ("/sdk/stream", "/sdk/poll") and self.fdv2)

    def _say(self, exchange, status, body=b"", headers=()):
        exchange.answer(status, [("Date", email.utils.formatdate(usegmt=True)),
                                 ("Content-Type", "application/json"),
                                 ("X-LD-EnvID", "environment-of-" + self.payload), *headers], body)

    def _poll(self, exchange, path, basis):
        with self._state:
            version, fallback = self.version, (self._fallback or [] if path == "/sdk/poll" else [])
            etag = f'"{self.payload}-{path[-4:]}-{version}"'
            if exchange.request.header("If-None-Match") == etag:
                self._say(exchange, 304, headers=[("ETag", etag), *fallback])
                return
            if path == "/sdk/latest-all":
                body = self._document()
            else:
                events = fdv2_events(self.payload, version, self._objects, self._changes(basis))
                body = '{"events":[%s]}' % ",".join(
                    '{"event":"%s","data":%s}' % event for event in events)
        headers = [("ETag", etag), *fallback]
        body = body.encode()
        if self.compressed and "gzip" in (exchange.request.header("Accept-Encoding") or ""):
            body = gzip.compress(body, 1)
            headers.append(("Content-Encoding", "gzip"))
        self._say(exchange, 200, body, headers)

    def _stream(self, exchange, generation, basis):
        stream = Stream(exchange.sock, generation, self.piece)
        fallback = self._fallback or [] if generation == 2 else []
        exchange.close()
        with self._state:
            stream.begin([("X-LD-EnvID", "environment-of-" + self.payload), *fallback])
            stream.send(self._first(generation, basis))
            with self._changed:
                self._streams.add(stream)
                self._changed.notify_all()
        stream.wait_for_end()
        with self._state, self._changed:
            self._streams.discard(stream)
            self._changed.notify_all()

    def _document(self):
        return '{"flags":{%s},"segments":{%s}}' % tuple(
            ",".join(f"{compact(key)}:{text}" for key, (_, text) in self._objects[kind].items())
            for kind in ("flag", "segment"))

    def _first(self, generation, basis):
        if generation == 1:
            return fdv1_put(self._document())
        return fdv2_events(self.payload, self.version, self._objects, self._changes(basis))

    def _changes(self, basis):
        """The objects that changed since that basis: (kind, key, version); None: it is unknown."""
        prefix = f"(p:{self.payload}:"
        number = (basis or "").removeprefix(prefix).rstrip(")")
        if not (basis or "").startswith(prefix) or not number.isdigit():
            return None
        since = int(number)
        if not self._log_begins <= since <= self.version:
            return None
        latest = {(kind, key): version for at, kind, key, version in self._log if at > since}
        return [(kind, key, version) for (kind, key), version in latest.items()]

    def _tell(self, kind, key, version, text):
        self.version += 1
        self._log.append((self.version, kind, key, version))
        for stream in self._streams:
            if stream.generation == 1:
                stream.send(fdv1_change(kind, key, version, text))
            else:
                stream.send(fdv2_events(self.payload, self.version, self._objects,
                                        [(kind, key, version)], introduced=True))

    def _answer_requests(self, sock):
        """As ScriptedUpstream, but requests have bodies."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        incoming = sock.makefile("rb")
        while self.open and self._listener is not None:
            sock.settimeout(None)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = incoming.readline(65536)
                if not line:
                    return
                head += line
            request = parse_head(head[:-4])
            request.body = read_body(incoming, request)
            with self._changed:
                if self._listener is None:
                    return
                self._requests.append(request)
                self._changed.notify_all()
            exchange = Exchange(self, sock, request)
            self._answer(exchange)
            if exchange.close_after:
                return


def accepted_but_reset(exchange):
    """To interfere with: the vendor took it, and its answer was lost."""
    exchange.upstream.accept(exchange)
    exchange.reset()


def read_body(incoming, request):
    if request.header("Transfer-Encoding") != "chunked":
        return incoming.read(int(request.header("Content-Length") or 0))
    body = b""
    while True:
        size = int(incoming.readline().split(b";")[0], 16)
        body += incoming.read(size)
        incoming.readline()
        if not size:
            return body
