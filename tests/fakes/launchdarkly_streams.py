"""The streams of a stand-in for LaunchDarkly: one connection each, and the events of FDv1 and FDv2."""

import socket
import threading

from launchdarkly_flags import compact


class Stream:
    """One Server-Sent Events answer, written by whoever has something to tell."""

    def __init__(self, sock, generation, piece=0):
        self.generation = generation  # 1: FDv1, 2: FDv2.
        self._sock = sock
        self._piece = piece
        self._writing = threading.Lock()

    def begin(self, headers):
        lines = ["HTTP/1.1 200 OK", "Content-Type: text/event-stream; charset=utf-8",
                 "Cache-Control: no-cache", "Transfer-Encoding: chunked",
                 *(f"{name}: {value}" for name, value in headers)]
        self._write("\r\n".join(lines).encode() + b"\r\n\r\n")

    def send(self, what):
        """Bytes as they are, or (event, data) pairs."""
        if not isinstance(what, bytes):
            what = b"".join(f"event: {name}\ndata: {data}\n\n".encode() for name, data in what)
        step = self._piece or len(what)
        for at in range(0, len(what), step or 1):
            part = what[at:at + step]
            self._write(b"%x\r\n%s\r\n" % (len(part), part))

    def end(self):
        """An orderly end of the answer; the connection follows."""
        self._write(b"0\r\n\r\n")
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def wait_for_end(self):
        """Until the client hangs up or the service dies."""
        try:
            while self._sock.recv(4096):
                pass
        except OSError:
            pass

    def _write(self, data):
        with self._writing:
            try:
                self._sock.sendall(data)
            except OSError:
                pass  # The client hung up; wait_for_end() notices.


def fdv1_put(document):
    return [("put", '{"path":"/","data":%s}' % document)]


def fdv1_change(kind, key, version, text):
    path = compact(f"/{kind}s/{key}")
    if text is None:
        return [("delete", '{"path":%s,"version":%d}' % (path, version))]
    return [("patch", '{"path":%s,"data":%s}' % (path, text))]


def fdv2_events(payload, version, objects, changes, introduced=False):
    """The events that lead to `version`: from nothing when `changes` is None, else from there.
    `introduced`: the stream has had its server-intent already."""
    if changes is None:
        intent, reason = "xfer-full", "payload-missing"
        changes = [(kind, key, found[0])
                   for kind, found_here in objects.items() for key, found in found_here.items()]
    else:
        intent, reason = ("xfer-changes", "stale") if changes else ("none", "up-to-date")
    events = [] if introduced else [("server-intent", compact({"payloads": [
        {"id": payload, "target": version, "intentCode": intent, "reason": reason}]}))]
    if intent == "none":
        return events
    for kind, key, object_version in changes:
        found = objects[kind].get(key)
        head = f'"version":{object_version},"kind":"{kind}","key":{compact(key)}'
        if found is None:
            events.append(("delete-object", "{%s}" % head))
        else:
            events.append(("put-object", '{%s,"object":%s}' % (head, found[1])))
    return [*events, ("payload-transferred",
                      compact({"state": f"(p:{payload}:{version})", "version": version}))]


def server_sent(name, data):
    """One event as bytes, its data a JSON value."""
    return f"event: {name}\ndata: {compact(data)}\n\n".encode()
