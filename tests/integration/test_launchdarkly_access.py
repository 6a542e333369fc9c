"""Who is served what: environments of one SDK key and different payload filters, keys that open nothing,
keys that are being replaced, and what the operator sees of it."""

import json
import pathlib
import re
import signal

from launchdarkly_test_case import AUTHORIZED, SDK_KEY, LaunchDarklyTestCase, main
from launchdarkly_flags import answering

REFUSED = "flagstone_unauthorized_requests_total"
FORMER = "flagstone_former_credential_requests_total"


def event(key):
    return {"kind": "identify", "creationDate": 1700000000000, "context": {"kind": "user", "key": key}}


def log_of(daemon):
    return "\n".join(daemon.log)


class Filters(LaunchDarklyTestCase):
    def start_filtered(self, **filters):
        """Environments by name, each with the filter of that value and a flag that says its name."""
        self.services = {name: self.service(answering(name)) for name in filters}
        return self.start_with({"listen": ["127.0.0.1:0"], "state": {"dir": self.path("state")},
                                "environments": {
            name: self.environment(self.services[name], listen=["unix:" + self.path(name)],
                                   events={"flush_interval": "200ms"},
                                   source={"filter": value, "protocol": "fdv1"} if value else {})
            for name, value in filters.items()}})

    def served(self, client, path="/sdk/latest-all"):
        answer = client.get(path, AUTHORIZED)
        return answer.status, next((name for name in self.services
                                    if f'"{name}"'.encode() in answer.body), None)

    def test_each_filter_of_one_key_is_an_environment(self):
        daemon = self.start_filtered(web="web", whole="", app="app")
        client = daemon.ofrep()
        for path in ("/sdk/latest-all", "/sdk/flags", "/sdk/poll"):
            self.assertEqual(self.served(client, path), (200, "whole"))
            self.assertEqual(self.served(client, path + "?filter=web"), (200, "web"))
            self.assertEqual(self.served(client, path + "?filter=app"), (200, "app"))
        for path, wanted in (("/all", "whole"), ("/all?filter=web", "web"),
                             ("/sdk/stream?filter=app", "app")):
            stream = self.subscribe(daemon, path)
            while f'"{wanted}"' not in stream.next_event()["data"]:
                pass
        self.assertEqual(client.evaluate("answer", headers={
            "Authorization": "Bearer " + SDK_KEY}).value, "whole")
        self.assertNotIn("have the same credential", log_of(daemon))

    def test_a_filter_that_nobody_has(self):
        daemon = self.start_filtered(web="web", whole="")
        client = daemon.ofrep()
        for _ in range(3):
            self.assertEqual(self.served(client, "/sdk/latest-all?filter=nope"), (200, "whole"))
        daemon.await_log("whole: an SDK asks for the payload filter `nope`")
        self.assertEqual(log_of(daemon).count("`nope`"), 1)

    def test_only_filtered_ones(self):
        daemon = self.start_filtered(web="web", app="app")
        client = daemon.ofrep()
        answer = client.get("/sdk/latest-all?filter=nope", AUTHORIZED)
        self.assertEqual(answer.status, 404)
        self.assertIn("nope", answer.json["message"])
        self.assertEqual(client.get("/all", AUTHORIZED).status, 404)
        daemon.await_log("payload filter `nope`.*404")
        self.assertEqual(self.served(client, "/sdk/latest-all?filter=app"), (200, "app"))

    def test_the_only_one_is_served_with_a_warning(self):
        daemon = self.start_filtered(web="web")
        self.assertEqual(self.served(daemon.ofrep()), (200, "web"))
        daemon.await_log("web: an SDK asks for no payload filter")

    def test_a_listener_of_its_own_takes_the_shared_key(self):
        daemon = self.start_filtered(web="web", whole="")
        for name in ("web", "whole"):
            client = daemon.unix(self.path(name))
            self.assertEqual(self.served(client), (200, name))
            self.assertEqual(client.evaluate("answer", headers=AUTHORIZED).value, name)
        self.assertEqual(daemon.unix(self.path("web")).get("/sdk/latest-all?filter=app",
                                                           AUTHORIZED).status, 404)
        self.assertEqual(daemon.unix(self.path("web")).get("/sdk/latest-all", {
            "Authorization": "sdk-other"}).status, 401)

    def test_a_key_that_several_have_is_another_for_all_of_them_at_once(self):
        """Each looks at the file now and then, at times of its own: a 401 or 404 meanwhile is final."""
        daemon = self.start_filtered(web="web", app="app", other="other")
        new = {"Authorization": "sdk-key-two"}
        clients = {name: daemon.unix(self.path(name)) for name in self.services}
        self.write("key", "sdk-key-two")
        for name, client in clients.items():
            self.assertEqual(client.get("/sdk/latest-all", new).status, 200, name)
            self.assertEqual(client.post("/bulk", [], new).status, 202, name)
            answer = daemon.ofrep().get("/sdk/latest-all?filter=" + name, new)
            self.assertEqual((answer.status, name), (200, next(
                other for other in self.services if f'"{other}"'.encode() in answer.body)))

    def test_a_filter_of_a_key_that_is_new_in_its_file(self):
        daemon = self.start_filtered(web="web", app="app")
        self.write("key", "sdk-key-two")
        answer = daemon.ofrep().get("/sdk/latest-all?filter=app", {"Authorization": "sdk-key-two"})
        self.assertEqual(answer.status, 200, answer)
        self.assertIn(b'"app"', answer.body)

    def test_events_are_sent_once(self):
        daemon = self.start_filtered(web="web", whole="")
        self.assertEqual(daemon.ofrep().post("/bulk", [event("ada")], AUTHORIZED).status, 202)
        sent = lambda name: str(self.services[name].posted()).count("ada")  # noqa: E731
        self.eventually(lambda: sent("whole") == 1, "the event")
        self.assertEqual(sent("web"), 0)

    def test_equal_keys_and_filters_are_warned_of(self):
        daemon = self.start_filtered(one="web", two="web")
        daemon.await_log("environments one and two have the same credential; it means one")
        self.assertEqual(self.served(daemon.ofrep(), "/sdk/latest-all?filter=web"), (200, "one"))


class Keys(LaunchDarklyTestCase):
    def test_a_wrong_key_is_seen(self):
        daemon = self.flagstone(self.service())
        client = daemon.ofrep()
        for key in ("sdk-wrong-key-abcd", "sdk-wrong-key-abcd", "short"):
            self.assertEqual(client.get("/all", {"Authorization": key}).status, 401)
        self.assertEqual(client.post("/bulk", [], {"Authorization": "short"}).status, 401)
        self.assertEqual(daemon.metric(REFUSED, api="launchdarkly_sdk"), 3)
        self.assertEqual(daemon.metric(REFUSED, api="launchdarkly_events"), 1)
        self.assertEqual(daemon.metric(REFUSED, api="ofrep"), 0)
        daemon.await_log(r"launchdarkly_sdk: requests with a credential \(…abcd\) that opens no")
        self.assertEqual(log_of(daemon).count("credential"), 1)
        self.assertNotIn("wrong", log_of(daemon))

    def test_a_rotation_is_seen_to_end(self):
        service = self.service(keys=(SDK_KEY, "sdk-key-two"))
        daemon = self.flagstone(service, source={"rotation_grace": "4s"})
        client = daemon.ofrep()
        self.write("key", "sdk-key-two")
        new = {"Authorization": "sdk-key-two"}
        self.eventually(lambda: client.get("/sdk/flags", new).status == 200, "the new key")
        self.assertEqual(daemon.metric(FORMER, environment="default"), 0)
        self.assertEqual(client.get("/sdk/flags", AUTHORIZED).status, 200)
        self.assertEqual(daemon.metric(FORMER, environment="default"), 1)
        shown = client.get("/status").json["environments"]["default"]
        self.assertEqual((shown["sdkKey"], shown["expiringSdkKey"]), ("sdk-***-**o", "sdk-***-**e"))
        self.eventually(lambda: client.get("/sdk/flags", AUTHORIZED).status == 401, "its end")
        daemon.await_log("former credential.* of default, whose grace is over")
        self.assertNotIn("expiringSdkKey", client.get("/status").json["environments"]["default"])

    def test_a_reload_that_adds_a_source_keeps_the_grace(self):
        """Also where there is no state that would remember it."""
        service = self.service(keys=(SDK_KEY, "sdk-key-two"))
        self.write("more.json", json.dumps({"flags": {"more": answering("here", key="more")}}))
        for kept in (True, False):
            folder = self.path("state") if kept else self.write("no-folder", "") + "/state"
            daemon = self.flagstone(service, source={"rotation_grace": "1h"},
                                    process={"state": {"dir": folder}})
            client = daemon.ofrep()
            self.write("key", "sdk-key-two")
            new = {"Authorization": "sdk-key-two"}
            self.assertEqual(client.get("/sdk/flags", new).status, 200)
            self.assertEqual(client.get("/sdk/flags", AUTHORIZED).status, 200)
            name = service.uri().rsplit(":", 1)[1] + ".json"
            configuration = json.loads(pathlib.Path(self.path(name)).read_text())
            configuration["environments"]["default"]["sources"].insert(0, {"uri": "file:more.json"})
            self.write(name, json.dumps(configuration))
            daemon.signal(signal.SIGHUP)
            daemon.await_value("here", key="more")
            for key in (AUTHORIZED, new):
                self.assertEqual(client.get("/sdk/flags", key).status, 200, (kept, key))
            daemon.stop()

    def test_accepted_keys_are_shown_apart(self):
        daemon = self.flagstone(self.service(), accept=[{"file": self.write("a", "aaaa")}])
        shown = daemon.ofrep().get("/status").json["environments"]["default"]
        self.assertEqual((shown["sdkKey"], shown["acceptedSdkKeys"]), ("sdk-***-**e", ["***a"]))
        self.assertNotIn("expiringSdkKey", shown)


class Usage(LaunchDarklyTestCase):
    def test_what_sdks_ask_for_is_not_called_never_asked(self):
        daemon = self.flagstone(self.service())
        usage = lambda: daemon.admin.get("/usage").json["environments"]["default"]  # noqa: E731
        self.assertIn("answer", usage()["never_asked"])
        self.document(daemon)
        self.assertNotIn("never_asked", usage())
        self.assertNotIn("never_asked_count", usage())
        self.assertTrue(re.search("SDKs", usage()["never_asked_unknown"]))

    def test_nor_after_a_restart(self):
        service = self.service()
        daemon = self.flagstone(service)
        usage = lambda: daemon.admin.get("/usage").json["environments"]["default"]  # noqa: E731
        self.assertIn("answer", usage()["never_asked"])
        daemon.stop()
        daemon = self.flagstone(service)
        self.assertIn("answer", usage()["never_asked"], "no SDK has come yet")
        self.document(daemon)
        daemon.stop()
        daemon = self.flagstone(service)
        self.eventually(lambda: "never_asked_unknown" in usage(), "what the state remembers")
        self.assertNotIn("never_asked", usage())

    def test_but_of_another_dialects_flags_they_say_nothing(self):
        """A reload makes the environment flagd's, and its threads have counted SDKs' requests."""
        service = self.service()
        daemon = self.flagstone(service)
        usage = lambda: daemon.admin.get("/usage").json["environments"]["default"]  # noqa: E731
        self.document(daemon)
        self.assertIn("never_asked_unknown", usage())
        flagd = {"flags": {"local": {"state": "ENABLED", "variants": {"a": "a"},
                                     "defaultVariant": "a"}}}
        path = self.write("flags.json", json.dumps(flagd))
        name = service.uri().rsplit(":", 1)[1] + ".json"
        configuration = json.loads(pathlib.Path(self.path(name)).read_text())
        configuration["environments"]["default"] = {"sources": [{"uri": "file:" + path}]}
        self.write(name, json.dumps(configuration))
        daemon.signal(signal.SIGHUP)
        daemon.await_value("a", key="local")
        self.eventually(lambda: "never_asked" in usage(), "flagd's flags")
        # Whatever the next drains and the state make of it.
        daemon.ofrep().evaluate("local")
        self.eventually(lambda: usage()["flags"] != [], "a drain")
        self.assertEqual(usage()["never_asked"], [])
        self.assertEqual(daemon.stop(), 0)
        daemon = self.start_with(configuration)
        daemon.await_value("a", key="local")
        self.eventually(lambda: usage()["flags"] != [], "what the state remembers")
        self.assertEqual(usage()["never_asked"], [])


if __name__ == "__main__":
    main()
