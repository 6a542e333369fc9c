"""What the daemon says of itself: metrics, status, usage; and that no secret is among it."""

import os

from daemon_test_case import POLL_INTERVAL, DaemonTestCase, main
from behaviours import document, status
from flag_documents import answering, encoded, flag, flags

CANARIES = {"file": "canary-in-file-7f3a", "environment": "canary-in-env-91bc",
            "header": "canary-in-header-c0de", "uri": "canary-in-uri-d1ce",
            "accept": "canary-accepted-5eed", "client": "canary-of-client-ab1e"}


class Metrics(DaemonTestCase):
    def test_evaluations_by_api_environment_and_reason(self):
        targeted = flag("x") | {"targeting": {"if": [{"var": "yes"}, "on", None]}}
        whole = flags({"static": 1})
        whole["flags"].update(targeted=targeted, off=flag(1) | {"state": "DISABLED"},
                              broken=flag(1) | {"targeting": {"no_such_operator": 1}})
        self.write("flags.json", encoded(whole))
        daemon = self.start("file:flags.json")
        client = daemon.ofrep()
        for key, context in (("static", {}), ("static", {}), ("targeted", {"yes": True}),
                             ("targeted", {}), ("off", {}), ("broken", {}), ("nobody", {})):
            client.evaluate(key, context)
        for reason, count in (("STATIC", 2), ("TARGETING_MATCH", 1), ("DEFAULT", 1),
                              ("DISABLED", 1), ("ERROR", 2)):
            with self.subTest(reason):
                self.assertEqual(daemon.metric("flagstone_evaluations_total", api="ofrep",
                                               environment="default", reason=reason), count)
        self.assertEqual(daemon.metric("flagstone_request_duration_seconds_count", api="ofrep"), 7)
        self.assertEqual(daemon.metric("flagstone_request_duration_seconds_bucket", api="ofrep",
                                       le="+Inf"), 7)
        client.bulk()
        self.assertEqual(daemon.metric("flagstone_evaluations_total", reason="STATIC"), 3)

    def test_the_page_is_well_formed(self):
        self.write("flags.json", answering("v1"))
        daemon = self.start("file:flags.json")
        page = daemon.admin.get("/metrics")
        self.assertIn("text/plain", page.header("Content-Type"))
        lines = page.body.decode().splitlines()
        self.assertTrue(page.body.endswith(b"\n"))
        typed = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
        self.assertEqual(len(typed), len(set(typed)), "one TYPE per metric")
        seen = set()
        for name, labels, _ in daemon.metrics():
            base = name
            for suffix in ("_bucket", "_sum", "_count"):
                if name.endswith(suffix) and name[:-len(suffix)] in typed:
                    base = name[:-len(suffix)]
            self.assertIn(base, typed, "a sample without TYPE")
            key = (name, tuple(sorted(labels.items())))
            self.assertNotIn(key, seen, "a sample twice")
            seen.add(key)
        for name in ("flagstone_snapshot_age_seconds", "flagstone_snapshot_stale",
                     "flagstone_snapshot_origin", "flagstone_updates_total",
                     "flagstone_source_last_success_timestamp_seconds",
                     "flagstone_quarantined_records", "flagstone_memory_bytes",
                     "flagstone_memory_limit_bytes", "flagstone_connections",
                     "flagstone_state_writes_total", "flagstone_state_write_failures_total",
                     "flagstone_state_writable"):
            self.assertIn(name, typed)

    def test_a_source_s_success_and_failure(self):
        fake = self.upstream(document(answering("v1"), '"1"'))
        daemon = self.start(fake.uri())
        success = daemon.metric("flagstone_source_last_success_timestamp_seconds")
        self.assertGreater(success, 1_600_000_000)
        fake.serve(status(500))
        daemon.await_failure("server_error", environment="default")
        source = daemon.source()
        self.assertGreaterEqual(source["failures"]["server_error"], 1)
        self.assertIn("500", source["last_error"])

    def test_memory_by_part(self):
        self.write("flags.json", answering("v1", padding=500))
        daemon = self.start("file:flags.json", options=("--memory-limit", "32MiB"))
        self.assertEqual(daemon.metric("flagstone_memory_limit_bytes"), 32 << 20)
        used = daemon.metric("flagstone_memory_bytes")
        self.assertGreater(used, 10_000)
        self.assertLess(used, 32 << 20)

    def test_status(self):
        self.write("flags.json", answering("v1", padding=4))
        daemon = self.start("file:flags.json")
        page = daemon.status()
        self.assertIs(page["ready"], True)
        environment = page["environments"]["default"]
        self.assertEqual((environment["dialect"], environment["origin"], environment["stale"],
                          environment["flags"]), ("flagd", "live", False, 5))
        self.assertEqual(environment["quarantined"], [])
        self.assertEqual([source["uri"] for source in environment["sources"]], ["file:flags.json"])
        self.assertTrue(page["version"])
        self.assertEqual(page["state"]["dir"], self.path("state"))

    def test_admin_is_not_where_apps_are_answered(self):
        self.write("flags.json", answering("v1"))
        daemon = self.start("file:flags.json")
        for method, path, expected in (("POST", "/healthz", 405), ("POST", "/metrics", 405),
                                       ("GET", "/accept/default", 405), ("GET", "/nowhere", 404)):
            with self.subTest(method=method, path=path):
                self.assertEqual(daemon.admin.request(method, path).status, expected)


class Usage(DaemonTestCase):
    def test_asked_never_asked_and_unknown(self):
        self.write("flags.json", encoded(flags({"asked": 1, "lonely": 2})))
        daemon = self.start("file:flags.json")
        for _ in range(3):
            daemon.ofrep().evaluate("asked")
        daemon.ofrep().evaluate("misspelt")

        def settled():
            text = daemon.admin.get("/usage").body.decode()
            return "misspelt" in text and find_count(daemon.admin.get("/usage").json, "asked") == 3
        self.eventually(settled, "the usage of `asked` and `misspelt`")
        self.assertIn("lonely", daemon.admin.get("/usage").body.decode())

    def test_unknown_keys_are_bounded(self):
        self.write("flags.json", answering("v1"))
        daemon = self.start("file:flags.json")
        with daemon.ofrep() as client:
            for number in range(1500):
                client.evaluate(f"unknown-{number}")
        self.eventually(lambda: daemon.admin.get("/usage").body.count(b"unknown-") >= 900, "usage")
        self.assertLessEqual(daemon.admin.get("/usage").body.count(b'unknown-'), 1000)


def find_count(page, key):
    """The count of a flag in /usage, wherever the page has it."""
    if isinstance(page, list):
        return next((c for c in (find_count(item, key) for item in page) if c is not None), None)
    if isinstance(page, dict):
        if page.get("key") == key and "count" in page:
            return page["count"]
        if isinstance(page.get(key), dict) and "count" in page[key]:
            return page[key]["count"]
        return find_count(list(page.values()), key)
    return None


class Secrets(DaemonTestCase):
    def test_no_canary_leaves(self):
        self.write("token", CANARIES["file"] + "\n")
        self.write("header", CANARIES["header"])
        self.write("accepted", CANARIES["accept"])
        self.write("ok.json", answering("ok"))
        fakes = [self.upstream(document(answering("v1"), '"1"')) for _ in range(3)]
        configuration = {"log_level": "trace", "environments": {
            "default": {"accept": [{"file": "accepted"}], "sources": [
                {"uri": fakes[0].uri(), "interval": POLL_INTERVAL, "credential_file": "token",
                 "headers": {"X-Secret": {"file": "header"}}},
                {"uri": fakes[1].uri(), "interval": POLL_INTERVAL,
                 "credential_env": "TEST_CREDENTIAL"},
                {"uri": fakes[2].uri(f"/flags.json?token={CANARIES['uri']}"),
                 "interval": POLL_INTERVAL}]}}}
        daemon = self.start_with(configuration,
                                 environment={"TEST_CREDENTIAL": CANARIES["environment"]})
        self.assertEqual(fakes[0].requests[0].header("Authorization"), f"Bearer {CANARIES['file']}")
        self.assertEqual(fakes[0].requests[0].header("X-Secret"), CANARIES["header"])
        self.assertEqual(fakes[1].requests[0].header("Authorization"),
                         f"Bearer {CANARIES['environment']}")
        self.assertIn(CANARIES["uri"], fakes[2].requests[0].target)
        self.await_state_written(daemon)
        answers = [daemon.ofrep().evaluate("answer", headers={
            "Authorization": f"Bearer {CANARIES['client']}", "X-API-Key": CANARIES["client"]})]
        # Errors are where secrets usually come out.
        for fake, code in zip(fakes, (401, 500, 404)):
            fake.serve(status(code))
        daemon.await_failure("unauthorized")
        daemon.await_failure("server_error")
        daemon.await_failure("not_found")
        fakes[2].die()
        daemon.await_failure("connect")
        pages = [daemon.admin.get(path).body for path in
                 ("/status", "/metrics", "/usage", "/readyz", "/healthz")]
        pages += [answer.body for answer in answers]
        with open(f"/proc/{daemon.process.pid}/cmdline", "rb") as command_line:
            pages.append(command_line.read())
        self.assertEqual(daemon.stop(), 0)
        pages += [line.encode() for line in daemon.log]
        for folder, _, names in os.walk(self.path("state")):
            for name in names:
                pages.append(name.encode())
                with open(os.path.join(folder, name), "rb") as file:
                    pages.append(file.read())
        for what, canary in CANARIES.items():
            for page in pages:
                self.assertNotIn(canary.encode(), page, what)


if __name__ == "__main__":
    main()
