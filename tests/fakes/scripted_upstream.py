"""A scripted HTTP/1.1 server that plays a flag vendor, well or badly.

Raw sockets in threads, bound to port 0. What it answers is a behaviour, a function of one Exchange
(behaviours.py has them), and can be replaced at any moment with serve(). Every request is recorded
with its headers and its time; tests await the n-th request on a condition variable instead of
sleeping. The owner closes it; closing wakes and ends every hanging connection.
"""

import socket
import struct
import threading
import time


class Request:
    """One recorded request: what the client asked, and when (monotonic seconds)."""

    def __init__(self, method, target, headers):
        self.method = method
        self.target = target
        self.headers = headers  # Names in lower case.
        self.time = time.monotonic()

    def header(self, name):
        return self.headers.get(name.lower())

    def __repr__(self):
        return f"{self.method} {self.target} {self.headers}"


class Exchange:
    """One request and the socket to answer it on; what a behaviour gets."""

    def __init__(self, upstream, sock, request):
        self.upstream = upstream
        self.sock = sock
        self.request = request
        self.close_after = False

    def send(self, data):
        self.sock.sendall(data)

    def answer(self, status, headers=(), body=b"", reason="Scripted"):
        """Sends a complete answer with its Content-Length."""
        lines = [f"HTTP/1.1 {status} {reason}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if status != 304:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(lines) + "\r\n\r\n"
        self.send(head.encode() + (b"" if status == 304 else body))

    def wait_for_end(self, seconds=None):
        """Waits until the upstream changes its script or closes, or the client hangs up."""
        deadline = None if seconds is None else time.monotonic() + seconds
        generation = self.upstream.generation
        while self.upstream.open and self.upstream.generation == generation:
            if deadline is not None and time.monotonic() >= deadline:
                return
            self.sock.settimeout(0.05)
            try:
                if not self.sock.recv(1):
                    return
            except (socket.timeout, TimeoutError):
                continue
            except OSError:
                return

    def close(self):
        """Closes in an orderly manner once the behaviour returns."""
        self.close_after = True

    def reset(self):
        """Makes the coming close a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_after = True


class ScriptedUpstream:
    """Listens on 127.0.0.1 from construction until close()."""

    def __init__(self, behaviour, tls_context=None, host="127.0.0.1"):
        self.open = True
        self.generation = 0
        self._behaviour = behaviour
        self._tls_context = tls_context
        self._host = host
        self._changed = threading.Condition()
        self._requests = []
        self._connections = set()
        self._listener = None
        self.connections_accepted = 0
        self.port = 0
        self.revive()

    # What the test says.

    def serve(self, behaviour):
        """From now on answers with this; hanging answers of the former behaviour end."""
        with self._changed:
            self._behaviour = behaviour
            self.generation += 1
            self._changed.notify_all()

    def die(self):
        """As after kill -9: nobody listens any more and open connections are reset."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # shutdown() wakes the thread in accept(), which a close alone does not.
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()
        with self._changed:
            self.generation += 1
            connections = list(self._connections)
        for sock in connections:
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def revive(self):
        """Listens again, on the same port as before."""
        if self._listener is not None:
            return
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self._host, self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self):
        self.open = False
        self.die()

    def uri(self, path="/flags.json", host=None):
        scheme = "https" if self._tls_context else "http"
        return f"{scheme}://{host or self._host}:{self.port}{path}"

    # What the test asks.

    @property
    def requests(self):
        with self._changed:
            return list(self._requests)

    def mark(self):
        """How many requests there have been; for await_requests(since=...)."""
        with self._changed:
            return len(self._requests)

    def await_requests(self, count=1, since=0, timeout=30):
        """Waits for `count` requests after the mark `since` and returns those."""
        with self._changed:
            reached = self._changed.wait_for(
                lambda: len(self._requests) >= since + count, timeout)
            if not reached:
                raise AssertionError(
                    f"waited {timeout} s for {count} requests, {len(self._requests) - since} came")
            return self._requests[since:since + count]

    # The threads.

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            self.connections_accepted += 1
            threading.Thread(target=self._converse, args=(sock,), daemon=True).start()

    def _converse(self, sock):
        try:
            if self._tls_context is not None:
                sock = self._tls_context.wrap_socket(sock, server_side=True)
            with self._changed:
                self._connections.add(sock)
            self._answer_requests(sock)
        except OSError:
            pass  # The client hung up, or die() did: both are part of the play.
        finally:
            with self._changed:
                self._connections.discard(sock)
            sock.close()

    def _answer_requests(self, sock):
        buffered = b""
        while self.open and self._listener is not None:
            sock.settimeout(None)
            while b"\r\n\r\n" not in buffered:
                chunk = sock.recv(65536)
                if not chunk:
                    return
                buffered += chunk
            head, _, buffered = buffered.partition(b"\r\n\r\n")
            request = parse_head(head)
            with self._changed:
                if self._listener is None:
                    return
                self._requests.append(request)
                behaviour = self._behaviour
                self._changed.notify_all()
            exchange = Exchange(self, sock, request)
            behaviour(exchange)
            if exchange.close_after:
                return


def parse_head(head):
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ", 2)
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Request(method, target, headers)
