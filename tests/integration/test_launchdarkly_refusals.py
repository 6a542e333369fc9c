"""LaunchDarkly refuses, is down or busy, or its key changes: the last flags are served, and no refusal
of its reaches an SDK."""

import json
import os
import signal

from launchdarkly_test_case import AUTHORIZED, SDK_KEY, LaunchDarklyTestCase, main
from behaviours import sequence, status
from launchdarkly_events import custom
from launchdarkly_flags import answering


class Refusals(LaunchDarklyTestCase):
    def test_refusals_upstream_are_never_passed_on(self):
        for code in (401, 403, 404, 500, 503):
            with self.subTest(code=code):
                service, daemon = self.service_and_daemon()
                client = daemon.ofrep()
                for path in ("/sdk/stream", "/sdk/poll", "/all", "/sdk/latest-all", "/bulk"):
                    service.interfere(path, status(code))
                service.end_streams()
                self.eventually(lambda d=daemon: d.failures() >= 1, "the failure")
                self.assertEqual(client.value(), "v1")
                self.assertEqual(client.get("/sdk/latest-all", AUTHORIZED).status, 200)
                self.assertEqual(client.post("/bulk", [], AUTHORIZED).status, 202)
                self.next_data(self.subscribe(daemon), "put")
                self.assertEqual(daemon.admin.get("/readyz").status, 200)

    def test_a_key_file_that_changes_ends_a_refusal_at_once(self):
        service, daemon = self.service_and_daemon()
        service.accept_keys("sdk-key-two")
        service.end_streams()
        daemon.await_failure("unauthorized")
        service.set_flag(answering("v2", version=2))
        self.assertEqual(daemon.ofrep().value(), "v1")
        self.write("key", "sdk-key-two")
        daemon.await_value("v2")
        for key in (SDK_KEY, "sdk-key-two"):
            self.assertEqual(daemon.ofrep().get("/sdk/flags", {"Authorization": key}).status, 200)

    def test_a_key_that_is_new_in_its_file_opens_at_once(self):
        """An app that restarts with it may be here before the file would be looked at: it stops for
        good at a 401."""
        service = self.service()
        accepted = self.write("accepted", "sdk-accepted-0")
        daemon = self.flagstone(service, accept=[{"file": accepted}])
        client = daemon.ofrep()
        asked = (lambda key: client.get("/sdk/flags", key).status,
                 lambda key: client.get("/sdk/latest-all", key).status,
                 lambda key: client.get("/sdk/evalx/users/eyJrZXkiOiJ1In0", key).status,
                 lambda key: client.post("/bulk", [], key).status - 2,
                 lambda key: client.post("/diagnostic", {"id": 1}, key).status - 2,
                 lambda key: self.subscribe(daemon, key=key["Authorization"]).response.status)
        for number, ask in enumerate(asked):
            for name in ("key", "accepted"):
                key = f"sdk-{name}-{number + 1}"
                self.write(name, key)
                self.assertEqual(ask({"Authorization": key}), 200, key)
        self.assertEqual(client.get("/sdk/flags", {"Authorization": "sdk-key-0"}).status, 401)

    def test_while_a_key_file_is_away_no_key_is_refused_for_good(self):
        _, daemon = self.service_and_daemon()
        client = daemon.ofrep()
        os.unlink(self.path("key"))
        new = {"Authorization": "sdk-key-two"}
        self.assertEqual(client.get("/sdk/flags", new).status, 503)
        self.assertEqual(client.get("/sdk/flags", AUTHORIZED).status, 200)
        self.write("key", "sdk-key-two")
        self.assertEqual(client.get("/sdk/flags", new).status, 200)
        self.assertEqual(client.get("/sdk/flags", {"Authorization": "sdk-other"}).status, 401)

    def test_a_hang_up_ends_a_refusal_at_once(self):
        service, daemon = self.service_and_daemon()
        service.accept_keys()
        service.end_streams()
        daemon.await_log(rf"status 401 at /sdk/stream: the SDK key in {self.path('key')} is refused, "
                         r".*; trying again in [0-9.]+ s; SIGHUP tries now")
        service.accept_keys(SDK_KEY)
        service.set_flag(answering("v2", version=2))
        self.assertEqual(daemon.ofrep().value(), "v1")
        daemon.signal(signal.SIGHUP)
        daemon.await_value("v2")

    def test_a_changed_file_is_no_hang_up(self):
        """FDv2 was left, and is tried again because an operator says so: not for a level of the log."""
        service = self.service(fdv2=False)
        daemon = self.configured(service, log_level="info")
        daemon.await_log("streamed by FDv1")
        asked = lambda: len(service.requests_to("/sdk/stream"))  # noqa: E731
        self.assertEqual(asked(), 1)
        self.configured(service, daemon, log_level="debug")
        service.set_flag(answering("v2", version=2))
        daemon.await_value("v2")
        self.assertEqual((asked(), len(service.requests_to("/all"))), (1, 1))
        daemon.signal(signal.SIGHUP)
        service.await_requests_to("/sdk/stream", 2)
        service.await_requests_to("/all", 2)

    def test_a_shorter_grace_is_that_of_keys_replaced_before_it(self):
        service = self.service(keys=(SDK_KEY, "sdk-key-two"))
        daemon = self.configured(service)
        self.write("key", "sdk-key-two")
        served = lambda key: daemon.ofrep().get("/sdk/flags", {"Authorization": key}).status  # noqa: E731
        self.eventually(lambda: served("sdk-key-two") == 200, "the new key")
        self.assertEqual(served(SDK_KEY), 200)
        self.configured(service, daemon, key="sdk-key-two", source={"rotation_grace": "0s"})
        self.eventually(lambda: served(SDK_KEY) == 401, "the old's end")
        self.assertEqual(served("sdk-key-two"), 200)

    def configured(self, service, daemon=None, log_level="info", **environment):
        """A daemon on the service, or that one with this configuration in its file from now on."""
        whole = {"listen": ["127.0.0.1:0"], "admin": "127.0.0.1:0", "log_level": log_level,
                 "state": {"dir": self.path("state")},
                 "environments": {"default": self.environment(service, **environment)}}
        if daemon is None:
            return self.start_with(whole)
        before = len(daemon.log)
        self.write("flagstone.json", json.dumps(whole))
        daemon.await_log("taken over", since=before)
        return daemon

    def test_a_key_file_that_is_emptied_is_told_while_all_is_well(self):
        service = self.service(keys=(SDK_KEY, "sdk-key-of-0123-5555"))
        daemon = self.flagstone(service)
        self.assertIsNone(daemon.source()["last_error"])
        self.write("key", "")
        daemon.await_log(r"warn.* credential file .*key is empty; what it held before is used")
        self.assertIn("is empty", daemon.source()["last_error"])
        self.assertEqual(daemon.source()["state"], "good")
        self.assertEqual(daemon.ofrep().get("/sdk/flags", AUTHORIZED).status, 200)
        self.write("key", "sdk-key-of-0123-5555")
        daemon.await_log(r"its new key \(…5555\) is in use; apps may use the one before until 20..-")
        self.assertIsNone(daemon.source()["last_error"])
        service.await_streams(1)

    def test_without_grace_the_old_key_is_nobodys_at_once(self):
        service = self.service(keys=(SDK_KEY, "sdk-key-two"))
        daemon = self.flagstone(service, source={"rotation_grace": "0s"})
        self.write("key", "sdk-key-two")
        client = daemon.ofrep()
        self.eventually(lambda: client.get("/sdk/flags", AUTHORIZED).status == 401, "the old's end")
        self.assertEqual(client.get("/sdk/flags", {"Authorization": "sdk-key-two"}).status, 200)

    def test_a_key_that_moved_means_where_it_is_now(self):
        first = self.service(answering("first's"), keys=(SDK_KEY, "sdk-key-two"))
        second = self.service(answering("second's"), keys=(SDK_KEY, "sdk-key-three"))
        daemon = self.start_with({"listen": ["127.0.0.1:0"], "state": {"dir": self.path("state")},
                                  "environments": {
            "first": self.environment(first),
            "second": self.environment(second, key="sdk-key-three", key_file="second-key")}})
        client = daemon.ofrep()
        self.assertIn(b"first's", client.get("/sdk/flags/answer", AUTHORIZED).body)
        self.write("key", "sdk-key-two")
        self.write("second-key", SDK_KEY)
        self.eventually(lambda: b"second's" in client.get("/sdk/flags/answer", AUTHORIZED).body,
                        "the key's new meaning")

    def test_a_key_that_cannot_be_read_yet_is_not_refused_for_good(self):
        service = self.service()
        late = self.path("late")
        daemon = self.flagstone(service, wait="bound", source={"credential_file": late})
        client = daemon.ofrep()
        for answer in (client.get("/sdk/flags", AUTHORIZED), client.post("/bulk", [], AUTHORIZED)):
            self.assertEqual((answer.status, answer.header("Retry-After")), (503, "1"))
        self.assertEqual(client.get("/sdk/flags").status, 401, "no key is nobody's")
        self.write("late", SDK_KEY)
        daemon.await_value("v1")
        self.assertEqual(client.get("/sdk/flags", AUTHORIZED).status, 200)
        self.assertEqual(client.get("/sdk/flags", {"Authorization": "sdk-other"}).status, 401)

    def test_an_accepted_key_that_cannot_be_read_holds_up_no_other(self):
        service = self.service(keys=(SDK_KEY, "sdk-key-two"))
        daemon = self.flagstone(service, accept=[{"file": self.path("late")}])
        client = daemon.ofrep()
        served = lambda key: client.get("/sdk/flags", {"Authorization": key}).status  # noqa: E731
        self.assertEqual((served(SDK_KEY), served("sdk-late")), (200, 503))
        self.write("key", "sdk-key-two")
        self.eventually(lambda: served("sdk-key-two") == 200, "the source's new key")
        self.write("late", "sdk-late")
        self.eventually(lambda: served("sdk-late") == 200, "the late key")
        self.assertEqual((served(SDK_KEY), served("sdk-other")), (200, 401))

    def test_nothing_yet(self):
        service = self.service()
        service.die()
        daemon = self.flagstone(service, wait="bound")
        client = daemon.ofrep()
        for path in ("/sdk/latest-all", "/sdk/flags", "/sdk/poll"):
            answer = client.get(path, AUTHORIZED)
            self.assertEqual(answer.status, 503, path)
        self.assertEqual(client.evaluate("answer").status, 503)
        stream = self.subscribe(daemon)
        service.revive()
        self.next_data(stream, "put")
        daemon.await_value("v1")

    def test_before_there_are_flags_each_key_is_known_for_what_it_opens(self):
        service = self.service()
        service.die()
        flagd = {"sources": [{"uri": service.uri("/flags.json"),
                              "credential_file": self.write("other", "flagds-key")}]}
        daemon = self.start_with({"listen": ["127.0.0.1:0"], "environments": {
            "default": self.environment(service), "other": flagd}}, wait="bound")
        client = daemon.ofrep()
        status = lambda key: client.get("/sdk/flags", {"Authorization": key}).status  # noqa: E731
        self.assertEqual((status(SDK_KEY), status("flagds-key")), (503, 401))

    def test_a_busy_service_is_asked_again(self):
        service = self.service()
        service.interfere("/sdk/stream", sequence(status(500), status(429)))
        service.interfere("/sdk/poll", status(500))
        daemon = self.flagstone(service, wait="bound")
        service.await_requests_to("/sdk/stream", 2)
        service.heal()
        daemon.await_value("v1")

    def test_how_flags_come_and_what_waits_is_told(self):
        service = self.service(keys=(SDK_KEY, "sdk-key-two"))
        daemon = self.flagstone(service, source={"filter": "web"}, events={"flush_interval": "1s"})
        daemon.await_log("streamed by FDv2")

        def way():
            source = daemon.source()
            return source["kind"], source["protocol"], source["filter"]
        self.assertEqual(way(), ("stream", "fdv2", "web"))
        waits = daemon.environment()["events"]
        self.assertEqual((waits["batches_waiting"], waits["oldest_age_seconds"],
                          waits["last_error"]), (0, None, None))
        service.interfere("/bulk", status(401))
        daemon.ofrep().post("/bulk", [custom(1)], AUTHORIZED)
        self.eventually(lambda: daemon.environment()["events"]["last_error"], "the refusal")
        waits = daemon.environment()["events"]
        self.assertEqual(waits["batches_waiting"], 1)
        self.assertGreater(waits["spool_bytes"], 0)
        self.assertGreaterEqual(waits["oldest_age_seconds"], 0)
        self.assertTrue(waits["last_error"].endswith(": status 401"), waits)
        self.eventually(lambda: daemon.metric("flagstone_event_oldest_age_seconds") > 0, "the age")
        before = len(daemon.log)
        service.fall_back(ttl=0)
        service.end_streams()
        self.eventually(lambda: way() == ("poll", "fdv1", "web"), "the way that was asked for")
        said = daemon.await_log("polled by FDv1, since the other side asks for that", since=before)
        self.assertIn("warning", said.string)
        service.no_fall_back()
        daemon.signal(signal.SIGHUP)
        self.eventually(lambda: way() == ("stream", "fdv2", "web"), "the best way")

    def test_status_has_the_shape_that_relays_have(self):
        service, daemon = self.service_and_daemon()
        whole = daemon.ofrep().get("/status").json
        self.assertEqual(whole["status"], "healthy")
        environment, = whole["environments"].values()
        self.assertEqual(environment["status"], "connected")
        self.assertEqual(environment["connectionStatus"]["state"], "VALID")
        self.assertNotIn("lastError", environment["connectionStatus"])
        self.assertNotIn(SDK_KEY, json.dumps(whole))

        def last_error():
            now, = daemon.ofrep().get("/status").json["environments"].values()
            return now["connectionStatus"].get("lastError", {})
        service.accept_keys()
        service.end_streams()
        self.eventually(lambda: last_error().get("kind") == "ERROR_RESPONSE", "the refusal")
        refused = last_error()["time"]
        self.assertGreater(refused, environment["connectionStatus"]["stateSince"])
        service.die()
        self.write("key", "sdk-key-two")
        self.eventually(lambda: last_error().get("kind") == "NETWORK_ERROR", "the outage")
        self.assertGreater(last_error()["time"], refused)


if __name__ == "__main__":
    main()
