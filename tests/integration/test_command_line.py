"""The commands beside `start`, and what a bad start says and exits with."""

import json

from daemon_test_case import DaemonTestCase, main
from behaviours import hang, document
from flag_documents import answering
from flagstone_process import run

EX_USAGE, EX_DATA, EX_UNAVAILABLE = 64, 65, 69


class Commands(DaemonTestCase):
    def test_version(self):
        code, out, _ = run("version")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"^flagstone \d+\.\d+\.\d+")

    def test_evaluate_over_both_listeners(self):
        self.write("flags.json", answering("v1"))
        socket = self.path("f.sock")
        daemon = self.start("file:flags.json", listen=("127.0.0.1:0", f"unix:{socket}"))
        for address in (daemon.tcp_address, f"unix:{socket}"):
            with self.subTest(address):
                code, out, error = run("evaluate", "answer", "--context", '{"a":1}', "--address",
                                       address, folder=self.folder)
                self.assertEqual(code, 0, error)
                self.assertEqual(json.loads(out)["value"], "v1")
        code, out, _ = run("evaluate", "nobody", "--context", "{}", "--address",
                           daemon.tcp_address, folder=self.folder)
        self.assertEqual((code, json.loads(out)["errorCode"]), (1, "FLAG_NOT_FOUND"))
        code, _, error = run("evaluate", "answer", "--address",
                             "unix:" + self.path("nobody.sock"), folder=self.folder)
        self.assertEqual(code, EX_UNAVAILABLE)
        self.assertTrue(error)

    def test_health(self):
        fake = self.upstream(document(answering("v1")))
        fake.serve(hang())
        daemon = self.start(fake.uri(), wait="bound", options=("--startup-wait", "1s"))
        admin = ("--admin", daemon.admin_address)
        self.assertEqual(run("health", "--live", *admin)[0], 0)
        self.assertEqual(run("health", "--ready", *admin)[0], 1)
        # Startup passes after startup_wait even without data, ready does not.
        self.eventually(lambda: run("health", "--startup", *admin)[0] == 0, "startup to pass")
        self.assertEqual(run("health", "--ready", *admin)[0], 1)
        fake.serve(document(answering("v1")))
        daemon.await_ready()
        self.assertEqual(run("health", "--ready", *admin)[0], 0)
        daemon.kill()
        self.assertEqual(run("health", "--live", *admin)[0], 1)

    def test_check(self):
        self.write("good.json", answering("v1"))
        self.write("bad.json", '{"flags":{"a":{"state":"ENABLED","variants":{"on":1},\n'
                               '"defaultVariant":"nobody"}}}')
        for name, codes in (("good.json", (0,)), ("bad.json", (EX_DATA,)),
                            ("absent.json", (EX_DATA,))):
            with self.subTest(name):
                path = self.write("c.json", json.dumps(self.one_source(f"file:{name}")))
                code, out, error = run("check", "--config", path, folder=self.folder)
                self.assertIn(code, codes, out + error)
                if code:
                    self.assertIn(name, out + error)

    def test_check_looks_at_the_files_of_secrets(self):
        self.write("key", "sdk-key")
        self.write("empty", "")
        source = {"uri": "https://h", "credential_file": "key"}
        for change, named in (({}, None), ({"credential_file": "absent"}, "absent"),
                              ({"credential_file": "empty"}, "empty"),
                              ({"headers": {"X-A": {"file": "absent"}}}, "absent")):
            with self.subTest(change):
                path = self.write("c.json", json.dumps(
                    {"environments": {"default": {"sources": [{**source, **change}]}}}))
                code, out, error = run("check", "--config", path, folder=self.folder)
                self.assertEqual(code, EX_DATA if named else 0, out + error)
                if named:
                    self.assertRegex(error, rf"c\.json:1: .*{self.path(named)} ")

    def test_a_variable_that_is_not_set_is_an_error(self):
        path = self.write("c.json", json.dumps(
            {"environments": {"default": {"sources": [
                {"uri": "https://h", "credential_env": "FST_NO_SUCH_KEY"}]}}}))
        for command in ("check", "start"):
            code, _, error = run(command, "--config", path, folder=self.folder)
            self.assertEqual(code, EX_DATA, error)
            self.assertIn("c.json:1: credential variable FST_NO_SUCH_KEY is not set", error)

    def test_a_probe_of_nobody(self):
        code, _, error = run("health", "--live", "--admin", "127.0.0.1:1")
        self.assertEqual(code, 1)
        self.assertTrue(error)


class BadStarts(DaemonTestCase):
    def start_badly(self, *arguments):
        daemon = self.launch(["start", *arguments])
        return daemon.wait(), "\n".join(daemon.log)

    def test_usage(self):
        for arguments in (["--no-such-option"], ["--listen"], ["--interval", "soon"],
                          ["--memory-limit", "lots"], ["stray"]):
            with self.subTest(arguments=arguments):
                code, log = self.start_badly(*arguments)
                self.assertEqual(code, EX_USAGE, log)
                self.assertTrue(log)

    def test_no_command_and_an_unknown_one(self):
        code, out, _ = run()
        self.assertEqual(code, 0)
        for command in ("start", "check", "evaluate", "accept", "health", "version"):
            self.assertIn(command, out)
        code, _, error = run("begin")
        self.assertEqual(code, EX_USAGE)
        self.assertIn("begin", error)

    def test_content_names_every_problem_with_its_line(self):
        path = self.write("flagstone.yaml",
                          "listen: [\"127.0.0.1:0\"]\nlissten: x\nenvironments:\n  default:\n"
                          "    sources:\n      - {uri: \"ftp://x\", intervall: 5s}\n"
                          "cache: {memory_limit: 5}\n")
        code, log = self.start_badly("--config", path)
        self.assertEqual(code, EX_DATA)
        for wanted in (":2", "listen", ":6", "interval", "ftp", ":7"):
            self.assertIn(wanted, log)

    def test_a_configuration_file_that_is_not_there(self):
        code, log = self.start_badly("--config", self.path("absent.yaml"))
        self.assertIn(code, (EX_USAGE, EX_DATA))
        self.assertIn("absent.yaml", log)

    def test_variables(self):
        self.write("flags.json", answering("v1"))
        daemon = self.start("file:flags.json", environment={
            "FLAGSTONE_LOG_LEVLE": "debug", "FLAGSTONE_SERVICE_HOST": "10.0.0.1",
            "FLAGSTONE_PORT": "tcp://10.0.0.1:80", "FLAGD_PORT": "tcp://10.0.0.1:8013"})
        daemon.await_log(r"warn.*FLAGSTONE_LOG_LEVLE")
        self.assertNotIn("10.0.0.1", "\n".join(daemon.log))
        self.assertEqual(daemon.ofrep().value(), "v1")


class FlagdOptions(DaemonTestCase):
    def test_flagd_s_command_line(self):
        self.write("flags.json", answering("v1"))
        sources = json.dumps([{"uri": "flags.json", "provider": "file"}])
        daemon = self.launch(["start", "--sources", sources, "--ofrep-port", "0", "--port", "0",
                              "--sync-port", "0", "--management-port", "0", "--state-dir",
                              self.path("state")])
        daemon.await_ready()
        self.assertEqual(len(daemon.listeners), 3)
        for address in daemon.listeners:
            self.assertTrue(address.startswith("127.0.0.1:"), address)
        self.assertEqual(daemon.ofrep().value(), "v1")
        self.assertEqual(daemon.admin.get("/healthz").status, 200)
        # flagd calls a file source by its path without the scheme.
        answer = daemon.ofrep().evaluate("answer", headers={"Flagd-Selector": "source=flags.json"})
        self.assertEqual(answer.value, "v1")


if __name__ == "__main__":
    main()
