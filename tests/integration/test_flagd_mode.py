"""flagd's users change the image and nothing else: its arguments, variables and file, its ports,
and who may see what on the management port."""

import http.client
import json
import os
import shutil
import socket
import ssl
import unittest

from daemon_test_case import DaemonTestCase, main
import certificates
from flagstone_process import eventually, run
from ofrep_client import Client
from other_machine import OtherMachine

FLAGS = {"flags": {"answer": {"state": "ENABLED", "variants": {"on": True, "off": False},
                              "defaultVariant": "on"}}}


def free_ports(count):
    """Ports that were free a moment ago; held together, so that they differ."""
    held = []
    for _ in range(count):
        taken = socket.socket()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        held.append(taken)
    ports = [taken.getsockname()[1] for taken in held]
    for taken in held:
        taken.close()
    return ports


class FlagdModeTestCase(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.flags = self.write("flags.json", json.dumps(FLAGS))
        self.port, self.management, self.sync, self.ofrep = free_ports(4)

    def port_options(self):
        return ["--port", str(self.port), "--management-port", str(self.management),
                "--sync-port", str(self.sync), "--ofrep-port", str(self.ofrep)]

    def start_as_flagd(self, *options, environment=None, ports=True, **more):
        arguments = ["start", *(self.port_options() if ports else []), *options]
        daemon = self.launch(arguments, environment={
            "FLAGSTONE_STATE_DIR": self.path("state"), **(environment or {})}, **more)
        return daemon.await_bound().await_ready()

    def sources(self, **more):
        return json.dumps([{"uri": self.flags, "provider": "file", **more}])


class FlagdMode(FlagdModeTestCase):
    def test_every_port_answers_every_api(self):
        daemon = self.start_as_flagd("--sources", self.sources())
        self.assertEqual(daemon.listeners, [f"127.0.0.1:{port}" for port in
                                            (self.port, self.sync, self.ofrep)])
        for port in (self.port, self.sync, self.ofrep):
            self.assertIs(Client(f"127.0.0.1:{port}").value("answer"), True)
        self.assertEqual(Client(f"127.0.0.1:{self.management}").get("/readyz").status, 200)

    def test_a_uri_alone_is_not_flagd_mode(self):
        daemon = self.start(f"file:{self.flags}")
        self.assertEqual(len(daemon.listeners), 1)

    def test_variables_and_file_do_as_flags_do(self):
        file = self.write("flagd.yaml", json.dumps({
            "port": self.port, "ofrep-port": self.ofrep,
            "sources": [{"uri": "flags.json", "provider": "file"}],
            "context-value": {"region": "eu"}, "evaluator": "json"}))
        daemon = self.start_as_flagd("--config", file, ports=False, environment={
            "FLAGD_MANAGEMENT_PORT": str(self.management), "FLAGD_SYNC_PORT": str(self.sync),
            "FLAGD_PORT": "tcp://10.0.0.1:8013", "FLAGD_SERVICE_HOST": "10.0.0.1"})
        self.assertIs(Client(f"127.0.0.1:{self.port}").value("answer"), True)
        self.assertIs(Client(f"127.0.0.1:{self.sync}").value("answer"), True)
        self.assertNotIn("unknown variable", "\n".join(daemon.log))
        code, out, err = run("health", environment={
            "FLAGD_MANAGEMENT_PORT": str(self.management), "FLAGD_PORT": str(self.port)})
        self.assertEqual(code, 0, out + err)

    def test_a_mixed_file_starts_nothing(self):
        file = self.write("mixed.yaml", "port: 8013\nadmin: \"127.0.0.1:0\"\n")
        code, _, err = run("start", "--uri", "file:flags.json", "--config", file)
        self.assertEqual(code, 65)
        self.assertIn("mixed.yaml:1: `port` is a key of flagd's file and `admin` (line 2)", err)

    def test_sockets_are_served_beside_tcp(self):
        evaluation, sync = self.path("e.sock"), self.path("s.sock")
        daemon = self.start_as_flagd("--sources", self.sources(), "--socket-path", evaluation,
                                     environment={"FLAGD_SYNC_SOCKET_PATH": sync})
        for path in (evaluation, sync):
            self.assertIs(daemon.unix(path).value("answer"), True)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o660)
        self.assertIs(Client(f"127.0.0.1:{self.port}").value("answer"), True)
        daemon.kill()
        # What it left behind does not keep the next one from starting.
        again = self.start_as_flagd("--sources", self.sources(), "--socket-path", evaluation)
        self.assertIs(again.unix(evaluation).value("answer"), True)

    def test_bind_says_where(self):
        daemon = self.start_as_flagd("--sources", self.sources(), "--bind", "127.0.0.1")
        self.assertEqual(daemon.admin_address, f"127.0.0.1:{self.management}")
        self.assertEqual(daemon.admin.get("/status").status, 200)

    @unittest.skipUnless(certificates.available(), "needs the openssl command line")
    def test_a_certificate_is_for_evaluation_and_sync(self):
        certificate, _ = certificates.make(self.folder, "server")
        daemon = self.start_as_flagd(
            "--sources", self.sources(), "--socket-path", self.path("e.sock"),
            "--server-cert-path", certificate, environment={
                "FLAGD_SERVER_KEY_PATH": certificate.replace(".crt", ".key")})
        trusting = ssl.create_default_context(cafile=certificate)
        for port in (self.port, self.sync):
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30,
                                                     context=trusting)
            self.addCleanup(connection.close)
            connection.request("POST", "/ofrep/v1/evaluate/flags/answer", "{}",
                               {"Content-Type": "application/json"})
            self.assertIs(json.loads(connection.getresponse().read())["value"], True)
        self.assertIs(Client(f"127.0.0.1:{self.ofrep}").value("answer"), True)
        self.assertIs(daemon.unix(self.path("e.sock")).value("answer"), True)
        self.assertEqual(daemon.admin.get("/readyz").status, 200)

    def test_the_management_port_answers_grpc_health(self):
        daemon = self.start_as_flagd("--sources", self.sources())
        connection = http.client.HTTPConnection("127.0.0.1", self.management, timeout=30)
        self.addCleanup(connection.close)
        connection.request("POST", "/grpc.health.v1.Health/Check", "{}",
                           {"Content-Type": "application/json"})
        self.assertEqual(json.loads(connection.getresponse().read())["status"], "SERVING")
        self.assertTrue(daemon.alive)

    def test_the_management_port_keeps_the_host_rule_for_this_machine(self):
        self.start_as_flagd("--sources", self.sources())
        client = Client(f"127.0.0.1:{self.management}")
        self.assertEqual(client.get("/status").status, 200)
        foreign = {"Host": "evil.example"}
        self.assertEqual(client.get("/status", headers=foreign).status, 421)
        self.assertEqual(client.get("/readyz", headers=foreign).status, 200)

    def test_the_operators_container(self):
        """The arguments that the operator (0.9.2) gives, word by word but for the ports; the
        Kubernetes source has nobody to ask, and the file goes on answering."""
        sources = json.dumps([
            {"uri": self.flags, "provider": "file", "bearerToken": ""},
            {"uri": "core.openfeature.dev/ns/end-to-end", "provider": "kubernetes"}])
        daemon = self.launch(
            ["start", "--management-port", str(self.management), "--port", str(self.port),
             "--sources", sources, "--debug", "--metrics-exporter", "otel",
             "--otel-collector-uri", "collector:4317", "--context-value", "region=eu",
             "--context-from-header", "X-Tenant=tenant", "--cors-origin", "*",
             "--sync-provider-args", "a=b", "--ofrep-port", str(self.ofrep),
             # The operator leaves this at flagd's 8015, which may be taken here.
             "--sync-port", str(self.sync)],
            environment={"FLAGD_MANAGEMENT_PORT": str(self.management),
                         "FLAGD_PORT": str(self.port), "FLAGD_EVALUATOR": "json",
                         "FLAGD_LOG_FORMAT": "json", "FLAGD_RESOLVER": "rpc",
                         "FLAGD_SOCKET_PATH": "",
                         # In a pod, whose API server does not answer.
                         "KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1",
                         "FLAGSTONE_STATE_DIR": self.path("state")})
        admin = Client(f"127.0.0.1:{self.management}")
        eventually(lambda: admin.get("/healthz").status == 200, "the management port")
        eventually(lambda: Client(f"127.0.0.1:{self.ofrep}").value("answer") is True, "the flag")
        self.assertEqual(admin.get("/readyz").status, 503)
        self.assertIn(b"core.openfeature.dev/ns/end-to-end", admin.get("/readyz").body)
        for line in daemon.log:
            json.loads(line)
        log = "\n".join(daemon.log)
        self.assertIn("--otel-collector-uri is ignored", log)
        self.assertIn("--sync-provider-args is ignored", log)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become uid 65532")
    def test_without_rights_and_without_a_writable_disk(self):
        """uid 65532, a state folder and a home that nobody can write: it serves all the same."""
        os.chmod(self.folder, 0o755)
        os.chmod(self.flags, 0o644)
        if shutil.which("setpriv") is None:
            self.skipTest("setpriv is not there")
        daemon = self.launch(
            ["start", *self.port_options(), "--sources", self.sources()],
            environment={"HOME": "/"}, wrapper=("setpriv", "--reuid", "65532", "--regid", "65532",
                                                "--clear-groups", "--no-new-privs"))
        daemon.await_bound().await_ready()
        self.assertIs(Client(f"127.0.0.1:{self.port}").value("answer"), True)


class FromAnotherMachine(FlagdModeTestCase):
    """The management port asked from a second network namespace, as kubelet's probes ask it."""

    def setUp(self):
        super().setUp()
        self.other = OtherMachine.of(self)

    def status(self, method, port, path):
        """The status that a request from there gets, to our address as kubelet's requests are."""
        with_json = ["{}", {"Content-Type": "application/json"}] if method == "POST" else []
        return int(self.other.python(
            f"import http.client as h; "
            f"c = h.HTTPConnection('{self.other.ours}', {port}, timeout=20); "
            f"c.request('{method}', '{path}', *{with_json!r}); print(c.getresponse().status)"))

    def refused(self, port):
        return int(self.other.python(
            f"import socket; s = socket.socket(); s.settimeout(20); "
            f"print(s.connect_ex(('{self.other.ours}', {port})))")) != 0

    def test_probes_and_metrics_and_no_more(self):
        self.start_as_flagd("--sources", self.sources())
        for method, path, status in (
                ("GET", "/healthz", 200), ("GET", "/readyz", 200), ("GET", "/metrics", 200),
                ("HEAD", "/healthz", 200), ("POST", "/grpc.health.v1.Health/Check", 200),
                ("POST", "/grpc.health.v1.Health/Watch", 403), ("GET", "/status", 403),
                ("GET", "/usage", 403),
                ("GET", "/startupz", 403), ("GET", "/nowhere", 403),
                ("POST", "/accept/default", 403), ("POST", "/healthz", 403)):
            self.assertEqual(self.status(method, self.management, path), status, path)
        # The serving ports are not open at all.
        for port in (self.port, self.sync, self.ofrep):
            self.assertTrue(self.refused(port), port)

    def test_bound_to_all_interfaces_flags_are_answered(self):
        self.start_as_flagd("--sources", self.sources(), "--bind", "0.0.0.0")
        for port in (self.port, self.sync, self.ofrep):
            self.assertEqual(self.status("POST", port, "/ofrep/v1/evaluate/flags/none"), 404)
        self.assertEqual(self.status("GET", self.management, "/status"), 403)


if __name__ == "__main__":
    main()
