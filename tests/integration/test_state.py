"""The last known state: what a restarted daemon answers when everything else is gone, and whose
state it must never serve."""

import os
import stat

from daemon_test_case import POLL_INTERVAL, DaemonTestCase, main
from behaviours import document, hang, status
from flag_documents import answering, encoded, flags


class Restart(DaemonTestCase):
    def stop_with_state(self, *arguments, **more):
        """A daemon that ran on these sources, wrote its state, and was killed."""
        daemon = self.start(*arguments, **more)
        self.await_state_written(daemon)
        daemon.kill()
        return daemon

    def test_with_everything_gone_it_answers_from_the_state_and_says_so(self):
        fake = self.upstream(document(answering("v1"), '"v1"'))
        self.stop_with_state(fake.uri())
        fake.die()
        daemon = self.start(fake.uri())
        answer = daemon.ofrep().evaluate("answer")
        self.assertEqual((answer.value, answer.json["reason"]), ("v1", "STATIC"))
        self.assertIs(answer.metadata["flagstone.stale"], True)
        self.assertGreaterEqual(answer.metadata["flagstone.age_seconds"], 0)
        self.assertIs(daemon.ofrep().bulk().json["metadata"]["flagstone.stale"], True)
        environment = daemon.environment()
        self.assertEqual((environment["origin"], environment["stale"]), ("state", True))
        self.assertEqual(daemon.metric("flagstone_snapshot_stale", environment="default"), 1)
        self.assertEqual(daemon.metric("flagstone_snapshot_origin", environment="default",
                                       origin="state"), 1)
        self.assertEqual(daemon.admin.get("/readyz").status, 200)
        fake.revive()
        self.eventually(lambda: not daemon.ofrep().evaluate("answer").stale, "live again")
        self.assertEqual(daemon.environment()["origin"], "live")
        self.assertNotIn("flagstone.age_seconds", daemon.ofrep().evaluate("answer").metadata)

    def test_a_file_that_is_gone(self):
        path = self.write("flags.json", answering("v1"))
        self.stop_with_state("file:flags.json")
        os.remove(path)
        daemon = self.start("file:flags.json")
        answer = daemon.ofrep().evaluate("answer")
        self.assertEqual((answer.value, answer.stale), ("v1", True))
        self.write("flags.json", answering("v2"))
        daemon.await_value("v2")
        self.assertFalse(daemon.ofrep().evaluate("answer").stale)

    def test_a_file_that_can_be_read_is_read_first(self):
        self.write("flags.json", answering("v1"))
        self.stop_with_state("file:flags.json")
        self.write("flags.json", answering("v2"))
        daemon = self.start("file:flags.json")
        answer = daemon.ofrep().evaluate("answer")
        self.assertEqual((answer.value, answer.stale), ("v2", False))

    def test_a_file_that_is_broken(self):
        self.write("flags.json", answering("v1"))
        self.stop_with_state("file:flags.json")
        self.write("flags.json", answering("v2")[:-3])
        daemon = self.start("file:flags.json")
        answer = daemon.ofrep().evaluate("answer")
        self.assertEqual((answer.value, answer.stale), ("v1", True))

    def test_the_first_request_is_conditional_and_a_304_makes_it_live(self):
        fake = self.upstream(document(answering("v1"), '"v1"'))
        self.stop_with_state(fake.uri())
        mark = fake.mark()
        daemon = self.start(fake.uri())
        request = fake.await_requests(1, since=mark)[0]
        self.assertEqual(request.header("If-None-Match"), '"v1"')
        self.eventually(lambda: daemon.environment()["origin"] == "live", "live by a 304")
        self.assertFalse(daemon.ofrep().evaluate("answer").stale)
        self.assertEqual(daemon.ofrep().value(), "v1")

    def test_the_answer_while_upstream_hangs(self):
        fake = self.upstream(document(answering("v1"), '"v1"'))
        self.stop_with_state(fake.uri())
        fake.serve(hang())
        daemon = self.start(fake.uri())
        self.assertEqual(daemon.ofrep().value(), "v1")

    def test_a_refused_credential_keeps_the_state(self):
        fake = self.upstream(document(answering("v1"), '"v1"'))
        self.stop_with_state(fake.uri())
        fake.serve(status(401))
        daemon = self.start(fake.uri())
        daemon.await_failure("unauthorized")
        self.assertEqual(daemon.ofrep().value(), "v1")

    def test_targeting_evaluators_and_metadata_survive(self):
        whole = flags({"answer": "no"}, metadata={"flagSetId": "blue", "owner": "team"})
        whole["flags"]["answer"]["variants"]["yes"] = "yes"
        whole["flags"]["answer"]["metadata"] = {"ticket": 7}
        whole["flags"]["answer"]["targeting"] = {"if": [{"$ref": "is-us"}, "yes", "on"]}
        whole["$evaluators"] = {"is-us": {"ends_with": [{"var": "email"}, "@us.example"]}}
        fake = self.upstream(document(encoded(whole), '"v1"'))
        daemon = self.start(fake.uri())
        us = {"email": "me@us.example"}
        before = daemon.ofrep().evaluate("answer", us).json
        self.assertEqual((before["value"], before["metadata"]["ticket"]), ("yes", 7))
        self.await_state_written(daemon)
        daemon.kill()
        fake.die()
        after = self.start(fake.uri()).ofrep().evaluate("answer", us).json
        for key in ("flagstone.stale", "flagstone.age_seconds"):
            del after["metadata"][key]
        self.assertEqual(after, before)

    def test_state_files_are_private(self):
        fake = self.upstream(document(answering("v1"), '"v1"'))
        self.stop_with_state(fake.uri())
        files = [os.path.join(folder, name) for folder, _, names in os.walk(self.path("state"))
                 for name in names]
        self.assertGreaterEqual(len(files), 2)
        for file in files:
            self.assertEqual(stat.S_IMODE(os.stat(file).st_mode), 0o600, file)

    def test_equal_polls_write_nothing(self):
        fake = self.upstream(document(answering("v1")))  # Without ETag: the same bytes each time.
        daemon = self.start(fake.uri())
        self.await_state_written(daemon)
        writes = daemon.metric("flagstone_state_writes_total")
        fake.await_requests(3, since=fake.mark())
        self.assertEqual(daemon.metric("flagstone_state_writes_total"), writes)


class Identity(DaemonTestCase):
    def state_of(self, configuration):
        daemon = self.start_with(configuration)
        self.await_state_written(daemon)
        daemon.kill()

    def assert_not_served(self, daemon):
        answer = daemon.ofrep().evaluate("answer")
        self.assertEqual((answer.status, answer.error_code), (503, "PROVIDER_NOT_READY"), answer)

    def test_another_uri_is_another_state(self):
        fake = self.upstream(document(answering("v1"), '"v1"'))
        self.state_of(self.one_source(fake.uri("/a")))
        fake.die()
        daemon = self.start_with(self.one_source(fake.uri("/b")), wait="bound")
        daemon.await_failure("connect")
        self.assert_not_served(daemon)

    def test_another_bucketing_is_another_state(self):
        fake = self.upstream(document(answering("v1"), '"v1"'))
        self.state_of(self.one_source(fake.uri()))
        fake.die()
        daemon = self.start_with(self.one_source(fake.uri(), {"fractional": "v1"}), wait="bound")
        daemon.await_failure("connect")
        self.assert_not_served(daemon)

    def test_another_selector_is_another_state(self):
        fake = self.upstream(document(answering("v1"), '"v1"'))
        self.state_of(self.one_source(fake.uri(), selector="flagSetId=a"))
        fake.die()
        daemon = self.start_with(self.one_source(fake.uri(), selector="flagSetId=b"), wait="bound")
        daemon.await_failure("connect")
        self.assert_not_served(daemon)

    def test_another_credential_keeps_the_state_and_drops_the_cursor(self):
        token = self.write("token", "first")
        fake = self.upstream(document(answering("v1", padding=29), '"v1"'))
        configuration = self.one_source(fake.uri(), credential_file=token)
        self.state_of(configuration)
        self.write("token", "second")
        fake.serve(hang())
        mark = fake.mark()
        daemon = self.start_with(configuration)
        self.assertEqual(daemon.ofrep().value(), "v1")
        request = fake.await_requests(1, since=mark)[0]
        self.assertEqual(request.header("Authorization"), "Bearer second")
        self.assertIsNone(request.header("If-None-Match"))
        # Another credential may mean another set: much smaller, and believed at once.
        fake.serve(document(answering("v2"), '"v2"'))
        daemon.await_value("v2")
        self.assertEqual(daemon.metric("flagstone_updates_total", result="held"), 0)

    def test_two_daemons_on_one_state_directory(self):
        fake = self.upstream(document(answering("v1"), '"v1"'))
        first = self.start(fake.uri())
        self.await_state_written(first)
        second = self.start(fake.uri())
        second.await_log(r"warn.*(?i:lock|another|state)")
        self.assertEqual(second.ofrep().value(), "v1")
        self.assertFalse(second.status()["state"]["writable"])
        self.assertTrue(first.status()["state"]["writable"])
        self.assertEqual(second.metric("flagstone_state_writable"), 0)
        fake.serve(document(answering("v2"), '"v2"'))
        for daemon in (first, second):
            daemon.await_value("v2")
        self.await_state_written(first, at_least=2)
        self.assertEqual(second.metric("flagstone_state_writes_total"), 0)
        # The reader's end leaves the owner's state whole.
        second.kill()
        first.kill()
        fake.die()
        self.assertEqual(self.start(fake.uri()).ofrep().value(), "v2")


class Bootstrap(DaemonTestCase):
    def test_it_answers_until_upstream_does(self):
        self.write("bootstrap.json", encoded(flags({"answer": "bootstrap", "only": "here"})))
        fake = self.upstream(document(answering("v1"), '"v1"'))
        fake.die()
        daemon = self.start_with(self.one_source(fake.uri(), {"bootstrap": "bootstrap.json"}))
        answer = daemon.ofrep().evaluate("answer")
        self.assertEqual((answer.value, answer.stale), ("bootstrap", True))
        self.assertEqual(daemon.environment()["origin"], "bootstrap")
        self.assertEqual(daemon.admin.get("/readyz").status, 200)
        fake.revive()
        daemon.await_value("v1")
        self.assertEqual(daemon.ofrep().evaluate("only").status, 404)
        self.assertEqual(daemon.environment()["origin"], "live")

    def test_the_state_is_newer_than_the_bootstrap(self):
        self.write("bootstrap.json", answering("bootstrap"))
        fake = self.upstream(document(answering("v1"), '"v1"'))
        configuration = self.one_source(fake.uri(), {"bootstrap": "bootstrap.json"})
        daemon = self.start_with(configuration)
        daemon.await_value("v1")
        self.await_state_written(daemon)
        daemon.kill()
        fake.die()
        self.assertEqual(self.start_with(configuration).ofrep().value(), "v1")

    def test_a_broken_bootstrap_stops_nothing(self):
        self.write("bootstrap.json", "{")
        fake = self.upstream(document(answering("v1"), '"v1"'))
        daemon = self.start_with(self.one_source(fake.uri(), {"bootstrap": "bootstrap.json"}))
        daemon.await_value("v1")


class OptionalSources(DaemonTestCase):
    def test_readiness_waits_for_the_required_ones_only(self):
        good = self.upstream(document(answering("v1"), '"v1"'))
        dead = self.upstream(status(500))
        daemon = self.start_with({"environments": {"default": {"sources": [
            {"uri": good.uri(), "interval": POLL_INTERVAL},
            {"uri": dead.uri(), "interval": POLL_INTERVAL, "optional": True}]}}})
        daemon.await_failure("server_error")
        self.assertEqual(daemon.admin.get("/readyz").status, 200)
        self.assertEqual(daemon.ofrep().value(), "v1")

    def test_a_required_one_that_is_missing_is_named(self):
        good = self.upstream(document(answering("v1"), '"v1"'))
        dead = self.upstream(status(500))
        daemon = self.start(good.uri(), dead.uri("/missing.json"), wait="bound")
        daemon.await_failure("server_error")
        ready = daemon.admin.get("/readyz")
        self.assertEqual(ready.status, 503)
        self.assertIn(b"missing.json", ready.body)


if __name__ == "__main__":
    main()
