"""The shrink guard: a document that drops most of what a source last had waits for confirmation."""

from daemon_test_case import POLL_INTERVAL, DaemonTestCase, main
from behaviours import document, sequence
from flag_documents import EMPTY, answering, encoded, flags
from flagstone_process import run

FULL = answering("v1", padding=29)
NEVER = 100  # Polls; the most that can be configured.


class ShrinkGuard(DaemonTestCase):
    def held(self, daemon):
        daemon.await_metric("flagstone_updates_total", result="held")

    def await_gone(self, daemon):
        self.eventually(lambda: daemon.ofrep().evaluate("answer").status == 404, "the empty set")

    def test_an_empty_set_is_held_and_confirmed_by_the_third_equal_poll(self):
        fake = self.upstream(document(FULL, '"full"'))
        daemon = self.start(fake.uri())
        mark = fake.mark()
        fake.serve(document(EMPTY, '"empty"'))
        fake.await_requests(2, since=mark)
        # The second request shows that the first answer was digested, and it was not believed.
        self.assertEqual(daemon.ofrep().value(), "v1")
        self.await_gone(daemon)
        asked = fake.requests[mark:mark + 3]
        self.assertEqual(len(asked), 3)
        self.assertNotIn('"empty"', [request.header("If-None-Match") for request in asked],
                         "the cursor must not move while a document is held")
        self.assertEqual(daemon.metric("flagstone_updates_total", result="held"), 2)
        self.assertEqual(daemon.environment()["flags"], 0)
        self.assertEqual(daemon.admin.get("/readyz").status, 200)

    def test_another_document_starts_the_count_anew(self):
        fake = self.upstream(document(FULL, '"full"'))
        daemon = self.start(fake.uri())
        other = answering("other")
        fake.serve(sequence(document(EMPTY, '"a"'), document(other, '"b"'), document(EMPTY, '"c"'),
                            document(other, '"d"'), document(FULL.replace(b"v1", b"v2"), '"e"')))
        daemon.await_value("v2")
        self.assertEqual(daemon.metric("flagstone_updates_total", result="held"), 4)

    def test_accept_takes_what_is_held(self):
        fake = self.upstream(document(FULL, '"full"'))
        daemon = self.start_with(self.one_source(fake.uri(), {"confirm_shrink": NEVER}))
        fake.serve(document(EMPTY, '"empty"'))
        self.held(daemon)
        self.assertEqual(daemon.ofrep().value(), "v1")
        self.assertTrue(daemon.source()["held"])
        code, out, error = run("accept", "default", "--admin", daemon.admin_address)
        self.assertEqual(code, 0, out + error)
        self.await_gone(daemon)
        self.assertFalse(daemon.source()["held"])

    def test_accept_without_anything_held_and_of_a_stranger(self):
        fake = self.upstream(document(FULL, '"full"'))
        daemon = self.start(fake.uri())
        code, _, error = run("accept", "nobody", "--admin", daemon.admin_address)
        self.assertNotEqual(code, 0)
        self.assertIn("nobody", error)
        run("accept", "default", "--admin", daemon.admin_address)
        self.assertEqual(daemon.ofrep().value(), "v1")

    def test_it_remembers_through_a_restart(self):
        fake = self.upstream(document(FULL, '"full"'))
        configuration = self.one_source(fake.uri(), {"confirm_shrink": NEVER})
        daemon = self.start_with(configuration)
        self.await_state_written(daemon)
        daemon.kill()
        fake.serve(document(EMPTY, '"empty"'))
        daemon = self.start_with(configuration)
        self.held(daemon)
        self.assertEqual(daemon.ofrep().value(), "v1")

    def test_a_small_set_may_shrink(self):
        fake = self.upstream(document(answering("v1", padding=9), '"ten"'))
        daemon = self.start(fake.uri())
        fake.serve(document(EMPTY, '"empty"'))
        self.await_gone(daemon)
        self.assertEqual(daemon.metric("flagstone_updates_total", result="held"), 0)

    def test_half_may_go(self):
        fake = self.upstream(document(answering("v1", padding=29), '"thirty"'))
        daemon = self.start(fake.uri())
        fake.serve(document(answering("v2", padding=14), '"fifteen"'))
        daemon.await_value("v2")
        self.assertEqual(daemon.metric("flagstone_updates_total", result="held"), 0)

    def test_it_can_be_off_for_a_network_source_and_is_off_for_files(self):
        fake = self.upstream(document(FULL, '"full"'))
        self.write("flags.json", FULL)
        daemon = self.start_with({"environments": {
            "network": {"listen": ["unix:" + self.path("network")], "sources": [
                {"uri": fake.uri(), "interval": POLL_INTERVAL, "shrink_guard": False}]},
            "file": {"listen": ["unix:" + self.path("file")],
                     "sources": [{"uri": "file:flags.json"}]}}})
        fake.serve(document(EMPTY, '"empty"'))
        self.write("flags.json", encoded(flags({})))
        for name in ("network", "file"):
            client = daemon.unix(self.path(name))
            self.eventually(lambda c=client: c.evaluate("answer").status == 404, name)
        self.assertEqual(daemon.metric("flagstone_updates_total", result="held"), 0)


if __name__ == "__main__":
    main()
