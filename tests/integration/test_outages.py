"""What upstream can do to us: it dies, hangs, refuses, lies, cuts and comes back. Whatever it does,
the last good answer stays, the failure is counted under its kind, and healing is noticed.

Many vendors fail at once beside each other, one environment each in one daemon, so that their
time limits pass together."""

import json

from daemon_test_case import POLL_INTERVAL, DaemonTestCase, main
from behaviours import (broken_gzip, document, dribble, garbage, gzip_bomb, hang, redirect, reset,
                        reset_in_body, sequence, status, truncated, truncated_chunks)
from flag_documents import answering, nested

GOOD = answering("v1")
HEALED = answering("v2")
# Shorter than the default of 30 s, so that the slow ones are given up within the test.
TIMEOUT = "2s"
DOCUMENT_LIMIT = "1MiB"
HALF_A_MEGABYTE = 512 * 1024

# What upstream does after having served GOOD: name -> (behaviour, kinds it may be counted as).
MISDEEDS = {
    "hangs": (hang(), ["timeout"]),
    "resets": (reset(), ["connect", "truncated", "protocol"]),
    "s401": (status(401), ["unauthorized"]),
    "s403": (status(403), ["unauthorized"]),
    "s404": (status(404), ["not_found"]),
    "s418": (status(418), ["http_status"]),
    "s429": (status(429, [("Retry-After", "1")]), ["rate_limited"]),
    "s500": (status(500), ["server_error"]),
    "s503": (status(503, body=HEALED), ["server_error"]),
    "truncated": (truncated(HEALED, '"v2"'), ["truncated"]),
    "only-headers": (truncated(HEALED, '"v2"', keep=0), ["truncated"]),
    "chunks": (truncated_chunks(HEALED, '"v2"'), ["truncated"]),
    "reset-in-body": (reset_in_body(HEALED, '"v2"'), ["truncated", "connect"]),
    "not-http": (garbage(), ["protocol", "connect", "http_status"]),
    "invalid-json": (document(GOOD[:-1], '"v2"'), ["malformed"]),
    "half-json": (document(GOOD[:40], '"v2"'), ["malformed"]),
    "empty-body": (document(b"", '"v2"'), ["malformed"]),
    "html": (document(b"<html>login please</html>", '"v2"'), ["malformed"]),
    "no-flags": (document(b"{}", '"v2"'), ["malformed", "refused"]),
    "flags-null": (document(b'{"flags":null}', '"v2"'), ["malformed", "refused"]),
    "trailing": (document(HEALED + b"}", '"v2"'), ["malformed"]),
    "bomb": (gzip_bomb(64, '"v2"'), ["too_large"]),
    "too-large": (document(answering("x" * (3 * HALF_A_MEGABYTE)), '"v2"'), ["too_large"]),
    "not-gzip": (broken_gzip(HEALED, '"v2"'), ["encoding", "malformed"]),
    "one-byte-a-second": (dribble(HEALED, '"v2"'), ["slow", "timeout"]),
    "redirect-loop": (redirect("/flags.json"), ["redirect", "http_status"]),
}


class Misdeeds(DaemonTestCase):
    def test_every_misdeed_keeps_the_old_answers_and_heals(self):
        fakes = {name: self.upstream(document(GOOD, '"v1"')) for name in MISDEEDS}
        daemon = self.start_with({
            "cache": {"max_document_bytes": DOCUMENT_LIMIT},
            "environments": {name: {
                "listen": ["unix:" + self.path(name)],
                "sources": [{"uri": fake.uri(), "interval": POLL_INTERVAL, "timeout": TIMEOUT}],
            } for name, fake in fakes.items()}})
        clients = {name: daemon.unix(self.path(name)) for name in MISDEEDS}
        for name, client in clients.items():
            self.assertEqual(client.value(), "v1", name)

        for name, fake in fakes.items():
            fake.serve(MISDEEDS[name][0])
        for name, (_, kinds) in MISDEEDS.items():
            with self.subTest(name, when="during"):
                if "refused" in kinds:
                    self.eventually(lambda n=name, k=kinds: counted(daemon, n, k), "a refusal")
                else:
                    daemon.await_failure(*kinds, environment=name)
                self.assertEqual(clients[name].value(), "v1")
                source = daemon.source(environment=name)
                self.assertTrue(source["last_error"], source)
        self.assertEqual(daemon.admin.get("/readyz").status, 200)

        for name, fake in fakes.items():
            fake.serve(document(HEALED, '"v2"'))
        # A good body under the ETag that the bad body had must not be hidden by a 304.
        for name, client in clients.items():
            with self.subTest(name, when="healed"):
                daemon.await_value("v2", client=client)


def counted(daemon, environment, kinds):
    return (sum(daemon.failures(kind, environment=environment) for kind in kinds) or
            daemon.metric("flagstone_updates_total", environment=environment, result="refused"))


class Upstream(DaemonTestCase):
    def test_it_dies_and_comes_back(self):
        fake = self.upstream(document(GOOD, '"v1"'))
        daemon = self.start(fake.uri())
        fake.die()
        daemon.await_failure("connect")
        self.assertEqual(daemon.ofrep().value(), "v1")
        self.assertEqual(daemon.admin.get("/readyz").status, 200)
        fake.serve(document(HEALED, '"v2"'))
        fake.revive()
        daemon.await_value("v2")

    def test_start_while_it_is_down(self):
        fake = self.upstream(document(GOOD, '"v1"'))
        fake.die()
        daemon = self.start(fake.uri(), wait="bound")
        daemon.await_failure("connect")
        for answer in (daemon.ofrep().evaluate("answer"), daemon.ofrep().bulk()):
            self.assertEqual(answer.status, 503, answer)
            self.assertEqual(answer.error_code, "PROVIDER_NOT_READY")
            self.assertEqual(answer.header("Retry-After"), "1")
        ready = daemon.admin.get("/readyz")
        self.assertEqual(ready.status, 503)
        self.assertIn(b"default", ready.body)
        self.assertEqual(daemon.admin.get("/healthz").status, 200)
        fake.revive()
        daemon.await_ready()
        daemon.await_value("v1")
        self.assertEqual(daemon.admin.get("/readyz").status, 200)

    def test_the_etag_is_sent_and_304_changes_nothing(self):
        fake = self.upstream(document(GOOD, '"v1"'))
        daemon = self.start(fake.uri())
        conditional = fake.await_requests(2)[1]
        self.assertEqual(conditional.header("If-None-Match"), '"v1"')
        daemon.await_metric("flagstone_updates_total", result="unchanged")
        self.assertEqual(daemon.metric("flagstone_updates_total", result="accepted"), 1)
        self.assertEqual(daemon.failures(), 0)

    def test_the_etag_of_a_bad_body_is_never_sent(self):
        fake = self.upstream(document(GOOD, '"v1"'))
        daemon = self.start(fake.uri())
        mark = fake.mark()
        fake.serve(sequence(document(b"{", '"bad"'), truncated(HEALED, '"bad"'),
                            document(HEALED, '"bad"')))
        daemon.await_value("v2")
        asked = [request.header("If-None-Match") for request in fake.requests[mark:mark + 3]]
        self.assertNotIn('"bad"', asked)

    def test_failures_of_a_bad_document_rise_with_every_poll(self):
        fake = self.upstream(document(GOOD, '"v1"'))
        daemon = self.start(fake.uri())
        fake.serve(document(b"{", '"bad"'))
        daemon.await_failure("malformed", at_least=3)
        lines = [line for line in daemon.log if "malformed" in line.lower() or "JSON" in line]
        self.assertLessEqual(len(lines), 2, "logged once per change of state")

    def test_retry_after_is_obeyed(self):
        fake = self.upstream(document(GOOD, '"v1"'))
        daemon = self.start(fake.uri())
        fake.serve(sequence(status(429, [("Retry-After", "3")]), document(HEALED, '"v2"')))
        mark = fake.mark()
        limited, following = fake.await_requests(2, since=mark)
        # A lower bound only: later is allowed, sooner is not.
        self.assertGreaterEqual(following.time - limited.time, 2.7)
        daemon.await_value("v2")

    def test_a_compressed_document(self):
        fake = self.upstream(document(GOOD, '"v1"', compressed=True))
        daemon = self.start(fake.uri())
        self.assertEqual(daemon.ofrep().value(), "v1")
        self.assertIn("gzip", fake.requests[0].header("Accept-Encoding"))

    def test_a_gzip_bomb_costs_no_memory(self):
        fake = self.upstream(document(GOOD, '"v1"'))
        daemon = self.start(fake.uri(), options=("--memory-limit", "8MiB"))
        before = daemon.memory_kib()
        fake.serve(gzip_bomb(400, '"bomb"'))
        daemon.await_failure("too_large", at_least=2)
        self.assertEqual(daemon.ofrep().value(), "v1")
        if not daemon.sanitized:
            self.assertLess(daemon.memory_kib("VmHWM") - before, 160 * 1024)

    def test_a_hundred_thousand_levels_of_nesting(self):
        fake = self.upstream(document(GOOD, '"v1"'))
        daemon = self.start(fake.uri())
        before = daemon.memory_kib()
        fake.serve(document(nested(100_000), '"deep"'))
        self.eventually(lambda: counted(daemon, "default", ["malformed", "too_large"]), "a refusal")
        self.assertEqual(daemon.ofrep().value(), "v1")
        if not daemon.sanitized:
            self.assertLess(daemon.memory_kib("VmHWM") - before, 100 * 1024)
        # Each `!` is two levels, an object and its array; 128 are allowed.
        fake.serve(document(nested(50), '"shallow"'))
        daemon.await_metric("flagstone_updates_total", at_least=2, result="accepted")

    def test_a_redirect_never_carries_the_credential_to_another_host(self):
        target = self.upstream(document(HEALED, '"v2"'), host="127.0.0.2")
        fake = self.upstream(redirect(target.uri()))
        secret = self.write("token", "redirect-canary")
        daemon = self.start_with(self.one_source(fake.uri(), credential_file=secret),
                                 wait="bound")
        fake.await_requests(2)
        self.assertEqual(fake.requests[0].header("Authorization"), "Bearer redirect-canary")
        for request in target.requests:
            self.assertNotIn("redirect-canary", repr(request))
        self.assertTrue(daemon.alive)

    def test_a_name_that_does_not_resolve(self):
        good = self.upstream(document(GOOD, '"v1"'))
        daemon = self.start_with({"environments": {
            "lost": {"optional": True, "listen": ["unix:" + self.path("lost")],
                     "sources": [{"uri": "http://no-such-host.invalid/flags.json"}]},
            "default": {"sources": [{"uri": good.uri(), "interval": POLL_INTERVAL}]}}})
        daemon.await_failure("resolve", environment="lost")
        self.assertEqual(daemon.ofrep().value(), "v1")
        lost = daemon.unix(self.path("lost")).evaluate("answer")
        self.assertEqual((lost.status, lost.error_code), (503, "PROVIDER_NOT_READY"))


class Credentials(DaemonTestCase):
    def test_a_rotated_credential_file_is_used_at_once(self):
        token = self.write("token", "old-token\n")

        def vendor(exchange):
            allowed = exchange.request.header("Authorization") == "Bearer new-token"
            (document(HEALED, '"v2"') if allowed else status(401))(exchange)
        fake = self.upstream(document(GOOD, '"v1"'))
        daemon = self.start_with(self.one_source(fake.uri(), credential_file=token))
        self.assertEqual(fake.requests[0].header("Authorization"), "Bearer old-token")
        fake.serve(vendor)
        daemon.await_failure("unauthorized")
        self.assertEqual(daemon.ofrep().value(), "v1")
        self.write("token", "new-token\n")
        daemon.await_value("v2")

    def test_flagd_sources_with_header_and_bearer(self):
        fake = self.upstream(document(GOOD))
        sources = json.dumps([
            {"uri": fake.uri("/a"), "provider": "http", "interval": 1,
             "authHeader": "ApiKey a-canary", "headers": {"X-Team": "blue"}},
            {"uri": fake.uri("/b"), "provider": "http", "interval": 1, "bearerToken": "b-canary"}])
        daemon = self.launch(["start", "--sources", sources, "--ofrep-port", "0", "--port", "0",
                              "--sync-port", "0", "--management-port", "0", "--state-dir",
                              self.path("state")])
        daemon.await_ready()
        self.assertEqual(daemon.ofrep().value(), "v1")
        by_target = {request.target: request for request in fake.requests}
        self.assertEqual(by_target["/a"].header("Authorization"), "ApiKey a-canary")
        self.assertEqual(by_target["/a"].header("X-Team"), "blue")
        self.assertEqual(by_target["/b"].header("Authorization"), "Bearer b-canary")


if __name__ == "__main__":
    main()
