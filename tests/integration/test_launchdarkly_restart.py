"""A restart costs nothing: flags from the last known state while LaunchDarkly is down, and then only
what changed."""

from launchdarkly_test_case import FLAGS, LaunchDarklyTestCase, main
from launchdarkly_flags import answering


class Restart(LaunchDarklyTestCase):
    def restart(self, service, between=lambda: None, down=True, **options):
        """kill -9 after the state was saved, `between`, and another daemon on that state."""
        daemon = self.flagstone(service, **options)
        self.await_state_written(daemon)
        address = daemon.tcp_address
        daemon.kill()
        if down:
            service.die()
        between()
        return self.flagstone(service, listen=address, **options)

    def test_from_the_state_while_upstream_is_down(self):
        for options in ({"protocol": "fdv1"}, {"protocol": "fdv2"},
                        {"protocol": "fdv1", "streaming": False}):
            with self.subTest(**options):
                service = self.service()
                daemon = self.restart(service, source=options)
                self.assertEqual(daemon.ofrep().value(), "v1")
                self.assertEqual(daemon.ofrep().value("staff-only", {"targetingKey": "ada"}), True)
                flags = self.next_data(self.subscribe(daemon), "put")["data"]["flags"]
                self.assertEqual(len(flags), len(FLAGS))
                self.eventually(lambda d=daemon: d.failures() >= 1, "the outage to be noticed")
                service.revive()
                service.set_flag(answering("v2", version=2))
                daemon.await_value("v2")

    def test_the_first_request_has_the_basis_and_nothing_comes_twice(self):
        service = self.service(payload="basis")
        mark = []
        daemon = self.restart(service, lambda: mark.append(service.mark()), down=False,
                              source={"protocol": "fdv2"})
        first, = service.await_requests(1, since=mark[0])
        self.assertIn("basis=%28p%3Abasis%3A1%29", first.target.replace(
            "(", "%28").replace(":", "%3A").replace(")", "%29"))
        service.await_streams(1)
        service.set_flag(answering("v2", version=2))
        daemon.await_value("v2")
        self.assertEqual(daemon.ofrep().value("off-flag"), "off", "an empty delta takes nothing away")

    def test_a_delta_of_what_changed_meanwhile(self):
        service = self.service()
        daemon = self.restart(service, lambda: (service.set_flag(answering("v2", version=2)),
                                                service.delete_flag("off-flag")), down=False)
        daemon.await_value("v2")
        self.assertEqual(daemon.ofrep().evaluate("off-flag").status, 404)
        self.assertEqual(daemon.ofrep().value("by-plan"), "basic")

    def test_a_basis_that_upstream_forgot(self):
        service = self.service()

        def forget():
            service.set_flag(answering("v2", version=2))
            service.forget_changes()
        daemon = self.restart(service, forget, down=False)
        daemon.await_value("v2")
        self.assertEqual(daemon.ofrep().value("by-plan"), "basic")

    def test_a_poll_that_finds_nothing_new(self):
        for protocol, path in (("fdv1", "/sdk/latest-all"), ("fdv2", "/sdk/poll")):
            with self.subTest(protocol=protocol):
                service = self.service()
                mark = []
                daemon = self.restart(service, lambda m=mark, s=service: m.append(s.mark()),
                                      down=False, source={"protocol": protocol, "streaming": False})
                first, = service.await_requests(1, since=mark[0])
                self.assertEqual(first.target.partition("?")[0], path)
                self.assertTrue(first.header("If-None-Match") or "basis=" in first.target, first)
                daemon.await_metric("flagstone_updates_total", result="unchanged")
                self.assertEqual(daemon.metric("flagstone_updates_total", result="accepted"), 0)

    def test_refused_at_the_start_it_serves_what_it_has(self):
        service = self.service()
        daemon = self.restart(service, lambda: service.accept_keys(), down=False)
        daemon.await_failure("unauthorized")
        self.assertEqual(daemon.ofrep().value(), "v1")
        self.assertEqual(self.document(daemon).status, 200)

    def test_a_stop_and_a_start_keep_tombstones(self):
        service = self.service(answering("v3", version=3), answering("x", key="other"), fdv2=False)
        daemon = self.flagstone(service)
        service.delete_flag("answer", version=7)
        self.eventually(lambda: daemon.ofrep().evaluate("answer").status == 404, "the deletion")
        address = daemon.tcp_address
        self.assertEqual(daemon.stop(), 0)
        service.die()
        daemon = self.flagstone(service, listen=address)
        self.assertEqual(daemon.ofrep().evaluate("answer").status, 404)
        self.assertEqual(daemon.ofrep().value("other"), "x")


if __name__ == "__main__":
    main()
