"""The part of a Kubernetes API server that serves one FeatureFlag resource: lists and watches.

A behaviour for ScriptedUpstream, which has the sockets, TLS and the record of requests. What the
resource is, which tokens are good, and what goes wrong is said by the test at any moment; watches
that are under way see it at once.
"""

import json
import threading
import urllib.parse

PATH = "/apis/core.openfeature.dev/v1beta1/namespaces/{}/featureflags"


def status(code, message, reason=""):
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code}


class KubernetesApi:
    def __init__(self, namespace="shop", name="flags", token="token-1"):
        self.namespace = namespace
        self.name = name
        self._changed = threading.Condition()
        self._tokens = {token}
        self._resource = None  # The bytes of spec.flagSpec.
        self._version = 100
        self._oldest = 0  # Watches from before it are too old.
        self._events = []  # (version, line)
        self._refusal = None  # (code, message, headers)
        self._watch_ends = 0
        self._last_words = b""
        self.too_old = 0  # Watches refused for that.
        self.watches = []  # From which versions the others were, as soon as they hear of anything.

    # What the test says.

    def apply(self, document):
        """Creates or changes the resource; `document` is spec.flagSpec as bytes."""
        with self._changed:
            self._version += 1
            kind = "ADDED" if self._resource is None else "MODIFIED"
            self._resource = document
            self._say(kind, self._object(document))

    def delete(self):
        with self._changed:
            self._version += 1
            gone, self._resource = self._resource, None
            self._say("DELETED", self._object(gone))

    def bookmark(self):
        """Tells all watches a newer version and returns it; the resource did not change."""
        with self._changed:
            self._version += 50
            self._say("BOOKMARK", json.dumps({
                "kind": "FeatureFlag", "metadata": {"resourceVersion": str(self._version)},
            }).encode())
            return self._version

    def forget_history(self):
        """As etcd's compaction: watches from before now get 410."""
        with self._changed:
            self._version += 1
            self._oldest = self._version

    def end_watches(self, last_words=b""):
        """Ends the watches that are under way: in good order, or after some last words by cutting
        the connection."""
        with self._changed:
            self._watch_ends += 1
            self._last_words = last_words
            self._changed.notify_all()

    def take_tokens(self, *tokens):
        with self._changed:
            self._tokens = set(tokens)

    def refuse(self, code, message="no", headers=()):
        """Every further request, until allow()."""
        with self._changed:
            self._refusal = (code, message, headers)

    def allow(self):
        with self._changed:
            self._refusal = None

    # What it answers.

    def __call__(self, exchange):
        with self._changed:
            refusal = self._refused(exchange.request)
        if refusal:
            code, message, headers = refusal
            exchange.answer(code, [("Content-Type", "application/json"), *headers],
                            json.dumps(status(code, message)).encode())
            return
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(exchange.request.target).query)
        if query.get("watch") == ["1"]:
            self._watch(exchange, int(query["resourceVersion"][0]))
        else:
            exchange.answer(200, [("Content-Type", "application/json")], self._list())

    def _refused(self, request):
        if self._refusal:
            return self._refusal
        if (request.header("Authorization") or "").removeprefix("Bearer ") not in self._tokens:
            return 401, "Unauthorized", ()
        parts = urllib.parse.urlsplit(request.target)
        selector = urllib.parse.parse_qs(parts.query).get("fieldSelector")
        if (parts.path, selector) != (PATH.format(self.namespace), [f"metadata.name={self.name}"]):
            return 404, "the server could not find the requested resource", ()
        return None

    def _list(self):
        with self._changed:
            items = b"" if self._resource is None else self._object(self._resource)
            return (b'{"apiVersion":"core.openfeature.dev/v1beta1","items":[' + items +
                    b'],"kind":"FeatureFlagList","metadata":{"continue":"","resourceVersion":"%d"}}'
                    % self._version)

    def _object(self, document):
        return (b'{"apiVersion":"core.openfeature.dev/v1beta1","kind":"FeatureFlag","metadata":'
                b'{"name":"%s","namespace":"%s","resourceVersion":"%d"},"spec":{"flagSpec":%s}}' %
                (self.name.encode(), self.namespace.encode(), self._version, document))

    def _say(self, kind, inner):
        self._events.append((self._version, b'{"type":"%s","object":%s}\n' % (kind.encode(), inner)))
        self._changed.notify_all()

    def _watch(self, exchange, since):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n")
        with self._changed:
            ends, generation = self._watch_ends, exchange.upstream.generation
            too_old = since < self._oldest
            self.too_old += too_old
            if not too_old:
                self.watches.append(since)
        if too_old:
            send_chunk(exchange, b'{"type":"ERROR","object":%s}\n' % json.dumps(
                status(410, f"too old resource version: {since}", "Expired")).encode())
            exchange.send(b"0\r\n\r\n")
            return
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._news(since) or self._watch_ends != ends, 0.05)
                news, last_words = self._news(since), self._last_words
                ended = self._watch_ends != ends
            for version, line in news:
                since = version
                send_chunk(exchange, line)
            if ended:
                break
            if not exchange.upstream.open or exchange.upstream.generation != generation:
                exchange.close()
                return
        if last_words:
            send_chunk(exchange, last_words)
            exchange.close()
        else:
            exchange.send(b"0\r\n\r\n")

    def _news(self, since):
        return [event for event in self._events if event[0] > since]


def send_chunk(exchange, data):
    exchange.send(b"%x\r\n%s\r\n" % (len(data), data))
