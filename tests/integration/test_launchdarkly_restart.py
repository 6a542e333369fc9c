"""A restart costs nothing: flags from the last known state while LaunchDarkly is down, and then only
what changed."""

import os
import pathlib

from launchdarkly_test_case import FLAGS, SDK_KEY, LaunchDarklyTestCase, main
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

    def served(self, daemon, key):
        return daemon.ofrep().get("/sdk/flags", {"Authorization": key}).status

    def kept_keys(self, service):
        """What the state has of keys for the next process."""
        name = "state-" + service.uri().rsplit(":", 1)[1]
        return pathlib.Path(self.path(name, "default", "former_credentials.blob"))

    def rotated(self, service, **options):
        """A daemon whose key was replaced while it ran, and which has put that down."""
        daemon = self.flagstone(service, **options)
        kept = self.kept_keys(service)
        self.eventually(kept.exists, "the key in use to be kept")
        before = kept.read_bytes()
        self.write("key", "sdk-key-two")
        self.eventually(lambda: self.served(daemon, "sdk-key-two") == 200, "the new key")
        self.eventually(lambda: len(kept.read_bytes()) > len(before), "the old key to be kept")
        return daemon

    def started_again(self, daemon, service, key="sdk-key-two", **options):
        daemon.kill()
        service.die()
        return self.flagstone(service, key=key, source=options)

    def test_a_former_key_is_known_after_a_kill(self):
        service = self.service(keys=(SDK_KEY, "sdk-key-two"))
        daemon = self.started_again(self.rotated(service), service)
        for key in (SDK_KEY, "sdk-key-two"):
            self.assertEqual(self.served(daemon, key), 200, key)
            self.next_data(self.subscribe(daemon, key=key), "put")
            answer = daemon.ofrep().post("/bulk", [], {"Authorization": key})
            self.assertEqual(answer.status, 202, answer)
        self.assertEqual(self.served(daemon, "sdk-other"), 401)
        for folder, _, names in os.walk(self.path("state-" + service.uri().rsplit(":", 1)[1])):
            for name in names:
                kept = pathlib.Path(folder, name).read_bytes()
                for key in (SDK_KEY, "sdk-key-two"):
                    self.assertNotIn(key.encode(), kept, name)
        daemon = self.started_again(daemon, service, key="sdk-key-three")
        for key in (SDK_KEY, "sdk-key-two", "sdk-key-three"):
            self.assertEqual(self.served(daemon, key), 200, key)

    def test_a_key_that_was_replaced_while_it_was_down(self):
        service, daemon = self.service_and_daemon()
        self.await_state_written(daemon)
        self.eventually(self.kept_keys(service).exists, "the key to be kept")
        daemon = self.started_again(daemon, service)
        for key in (SDK_KEY, "sdk-key-two"):
            self.assertEqual(self.served(daemon, key), 200, key)

    def test_without_grace_a_former_key_opens_nothing(self):
        service = self.service(keys=(SDK_KEY, "sdk-key-two"))
        daemon = self.started_again(self.rotated(service), service, rotation_grace="0s")
        self.assertEqual(self.served(daemon, SDK_KEY), 401)
        self.assertEqual(self.served(daemon, "sdk-key-two"), 200)

    def test_a_state_that_says_nothing_of_former_keys(self):
        for damage in ("gone", "damaged"):
            with self.subTest(damage):
                service = self.service(keys=(SDK_KEY, "sdk-key-two"))
                self.write("key", SDK_KEY)
                daemon = self.rotated(service)
                self.await_state_written(daemon)
                daemon.kill()
                kept = self.kept_keys(service)
                kept.unlink()
                if damage == "damaged":
                    kept.write_bytes(b"no such thing")
                daemon = self.started_again(daemon, service)
                self.assertEqual(self.served(daemon, "sdk-key-two"), 200)
                self.assertEqual(self.served(daemon, SDK_KEY), 401)


if __name__ == "__main__":
    main()
