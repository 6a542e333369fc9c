"""What a reload must not lose: answers, their freshness, and what providers compare them with."""

import json
import signal

from daemon_test_case import DaemonTestCase, main
from behaviours import document, status
from flag_documents import answering, encoded, flag, flags

DEFAULTS_OF_NOBODY = {"state": "ENABLED", "variants": {"on": True}, "defaultVariant": "nobody"}


class Reload(DaemonTestCase):
    def configuration(self, *sources, limit="64MiB", **environment):
        return {"listen": ["127.0.0.1:0"], "admin": "127.0.0.1:0",
                "cache": {"memory_limit": limit}, "state": {"dir": self.path("state")},
                "environments": {"default": {"sources": list(sources), **environment}}}

    def reload(self, daemon, configuration):
        before = len(daemon.log)
        self.write("flagstone.json", json.dumps(configuration))
        daemon.signal(signal.SIGHUP)
        daemon.await_log("taken over", since=before)

    def file(self, name, content):
        self.write(name, content)
        return {"uri": f"file:{name}"}

    def test_no_304_for_other_flags(self):
        a, b = self.file("a.json", answering("a")), self.file("b.json", answering("b"))
        daemon = self.start_with(self.configuration(a))
        etag = daemon.ofrep().bulk().header("ETag")
        self.assertEqual(daemon.ofrep().bulk(headers={"If-None-Match": etag}).status, 304)
        self.reload(daemon, self.configuration(b))
        daemon.await_value("b")
        answer = daemon.ofrep().bulk(headers={"If-None-Match": etag})
        self.assertEqual(answer.status, 200)
        self.assertNotEqual(answer.header("ETag"), etag)

    def test_another_fractional_is_another_etag(self):
        source = self.file("a.json", answering("a"))
        daemon = self.start_with(self.configuration(source))
        etag = daemon.ofrep().bulk().header("ETag")
        self.reload(daemon, self.configuration(source, fractional="v1"))
        self.eventually(lambda: daemon.ofrep().bulk().header("ETag") != etag, "another ETag")

    def test_live_flags_outlive_the_upstream_without_any_state(self):
        fake = self.upstream(document(answering("live"), '"v1"'))
        source = {"uri": fake.uri(), "interval": "100ms"}
        local = self.file("local.json", encoded(flags({"local": True})))
        self.write("state", "a file where a folder should be")
        daemon = self.start_with(self.configuration(source, local))
        self.assertEqual(daemon.ofrep().value(), "live")
        fake.die()
        self.write("pins.json", '{"pinned-flag": 1}')
        for change in ({"interval": "200ms"}, {"interval": "300ms"}):
            self.reload(daemon, self.configuration({**source, **change}, local, pins="pins.json"))
            for _ in range(20):
                self.assertEqual(daemon.ofrep().value(), "live")
        self.eventually(lambda: daemon.ofrep().evaluate("pinned-flag").status == 200, "the pin")
        self.assertEqual(daemon.ofrep().value("local"), True)
        self.assertEqual(daemon.admin.get("/readyz").status, 200)

    def test_a_source_that_never_answers_leaves_the_old_in_place(self):
        fake = self.upstream(status(500))
        a = self.file("a.json", answering("a"))
        b = self.file("b.json", encoded(flags({"other": True})))
        daemon = self.start_with(self.configuration(a))
        self.reload(daemon, self.configuration({"uri": fake.uri(), "interval": "100ms"}, b))
        fake.await_requests(3)
        self.assertEqual(daemon.ofrep().value(), "a")
        self.assertEqual(daemon.admin.get("/readyz").status, 200)
        fake.serve(document(answering("new"), '"1"'))
        daemon.await_value("new")
        self.assertEqual(daemon.ofrep().value("other"), True)

    def test_a_higher_limit_lets_in_what_was_refused(self):
        values = {f"flag-{number}": "x" * 200 for number in range(60_000)}
        source = self.file("big.json", encoded(flags(values)))
        daemon = self.start_with(self.configuration(source, limit="4MiB"), wait="admin")
        self.eventually(lambda: daemon.source()["state"] == "refused", "refused")
        self.reload(daemon, self.configuration(source, limit="256MiB"))
        self.eventually(lambda: daemon.environment()["flags"] == 60_000, "taken in")

    def test_usage_stays_with_its_flags(self):
        a = self.file("a.json", encoded(flags({"f0": 0, "f1": 1, "f2": 2})))
        fake = self.upstream(status(500))
        daemon = self.start_with(self.configuration(a))
        for _ in range(3):
            daemon.ofrep().evaluate("f2")
        self.reload(daemon, self.configuration({"uri": fake.uri(), "interval": "100ms"}))
        for _ in range(4):
            daemon.ofrep().evaluate("f2")
        fake.serve(document(encoded(flags({"z0": 0, "z1": 1, "z2": 2, "f2": 2})), '"1"'))
        self.eventually(lambda: daemon.ofrep().evaluate("z0").status == 200, "the new flags")

        def counts():
            usage = daemon.admin.get("/usage").json["environments"]["default"]
            return {entry["key"]: entry["count"] for entry in usage["flags"]}
        self.eventually(lambda: counts().get("f2") == 7, "seven for f2")
        self.assertNotIn("z2", counts())


class FilesAndState(DaemonTestCase):
    def restarted(self, content, *options):
        self.write("flags.json", content)
        daemon = self.start("file:flags.json", options=options)
        self.await_state_written(daemon)
        daemon.kill()

    def test_a_file_refused_at_the_start_leaves_the_state(self):
        self.restarted(answering("good"))
        self.write("flags.json", encoded({"flags": {"answer": DEFAULTS_OF_NOBODY}}))
        daemon = self.start("file:flags.json")
        answer = daemon.ofrep().evaluate("answer")
        self.assertEqual((answer.value, answer.stale), ("good", True))
        self.assertEqual(daemon.source()["state"], "refused")

    def test_the_last_good_of_a_quarantined_flag_outlives_a_restart(self):
        values = {key: flag(1) for key in ("a", "b", "c", "d")}
        self.write("flags.json", encoded({"flags": {**values, "answer": flag("good")}}))
        daemon = self.start("file:flags.json")
        self.write("flags.json", encoded({"flags": {**values, "answer": DEFAULTS_OF_NOBODY}}))
        self.eventually(lambda: daemon.environment()["quarantined"], "quarantined")
        self.await_state_written(daemon, at_least=2)
        daemon.kill()
        daemon = self.start("file:flags.json")
        answer = daemon.ofrep().evaluate("answer")
        self.assertEqual((answer.value, answer.stale), ("good", False))

    def test_one_required_source_missing_is_not_ready_and_not_not_found(self):
        self.write("flags.json", answering("here"))
        fake = self.upstream(status(503))
        daemon = self.start("file:flags.json", fake.uri(), wait="admin")
        daemon.await_value("here")
        answer = daemon.ofrep().evaluate("of-the-other-source")
        self.assertEqual((answer.status, answer.error_code), (503, "PROVIDER_NOT_READY"))
        self.assertEqual(daemon.ofrep().bulk().status, 503)


if __name__ == "__main__":
    main()
