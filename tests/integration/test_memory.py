"""memory_limit is a bound: what does not fit is refused and the old answers stay. (Slow.)"""

import socket

from daemon_test_case import DaemonTestCase, main
from behaviours import document
from flag_documents import answering

LIMIT = "8MiB"
TOO_MANY = 100_000


class Memory(DaemonTestCase):
    def test_a_document_that_does_not_fit_is_refused(self):
        fake = self.upstream(document(answering("v1", padding=100), '"1"'))
        daemon = self.start(fake.uri(), options=("--memory-limit", LIMIT))
        fake.serve(document(answering("huge", padding=TOO_MANY), '"2"'))
        daemon.await_metric("flagstone_updates_total", result="refused")
        self.assertEqual(daemon.ofrep().value(), "v1")
        self.assertLessEqual(daemon.metric("flagstone_memory_bytes"),
                             daemon.metric("flagstone_memory_limit_bytes"))
        self.assertEqual(daemon.environment()["flags"], 101)
        self.assertIn("memory", daemon.source()["last_error"])
        fake.serve(document(answering("v3", padding=50), '"3"'))
        daemon.await_value("v3")

    def test_one_too_big_from_the_start(self):
        self.write("flags.json", answering("huge", padding=TOO_MANY))
        daemon = self.start("file:flags.json", options=("--memory-limit", LIMIT), wait="bound")
        daemon.await_metric("flagstone_updates_total", result="refused")
        self.assertEqual(daemon.ofrep().evaluate("answer").error_code, "PROVIDER_NOT_READY")
        self.assertEqual(daemon.admin.get("/readyz").status, 503)
        self.write("flags.json", answering("small"))
        daemon.await_value("small")

    def test_a_smaller_limit_after_a_restart(self):
        fake = self.upstream(document(answering("v1", padding=20_000), '"1"'))
        daemon = self.start(fake.uri(), options=("--memory-limit", "256MiB"))
        self.await_state_written(daemon)
        daemon.kill()
        fake.die()
        daemon = self.start(fake.uri(), options=("--memory-limit", "4MiB"), wait="bound")
        daemon.await_failure("connect")
        # Either some flags answer rightly or none does; the process stands.
        self.assertIn(daemon.ofrep().evaluate("answer").status, (200, 503))
        self.assertTrue(daemon.alive)

    def test_answers_while_a_big_document_is_taken_in(self):
        fake = self.upstream(document(answering("v1"), '"1"'))
        daemon = self.start(fake.uri(), options=("--memory-limit", "512MiB"))
        fake.serve(document(answering("v2", padding=50_000), '"2"'))
        with daemon.ofrep() as client:
            while (value := client.value()) != "v2":
                self.assertEqual(value, "v1")
        self.assertEqual(daemon.environment()["flags"], 50_001)
        values = daemon.ofrep().bulk_values()
        self.assertEqual((len(values), set(values.values())), (50_001, {"v2"}))

    def test_reloads_do_not_pile_up(self):
        documents = [answering(f"v{number}", padding=5000) for number in range(2)]
        self.write("flags.json", documents[0])
        daemon = self.start("file:flags.json")
        for number in range(3):
            self.write("flags.json", documents[number % 2])
            daemon.await_value(f"v{number % 2}")
        used = daemon.metric("flagstone_memory_bytes")
        for number in range(3, 33):
            self.write("flags.json", documents[number % 2])
            daemon.await_value(f"v{number % 2}")
        self.eventually(lambda: daemon.metric("flagstone_memory_bytes") <= used * 1.1,
                        "the memory of replaced snapshots to be given back")


class Connections(DaemonTestCase):
    def test_more_clients_than_files(self):
        """Full of clients, upstream and admin go on; and it recovers."""
        fake = self.upstream(document(answering("v1"), '"1"'))
        daemon = self.start(fake.uri(), wrapper=["sh", "-c", 'ulimit -n 64; exec "$0" "$@"'])
        host, port = daemon.tcp_address.rsplit(":", 1)
        crowd = [socket.create_connection((host, int(port)), timeout=30) for _ in range(100)]
        self.assertEqual(daemon.admin.get("/healthz").status, 200)
        fake.serve(document(answering("v2"), '"2"'))
        daemon.await_metric("flagstone_updates_total", at_least=2, result="accepted")
        for client in crowd:
            client.close()
        daemon.await_value("v2")

    def test_more_clients_than_allowed(self):
        self.write("flags.json", answering("v1"))
        daemon = self.start("file:flags.json", options=("--max-connections", "16"))
        host, port = daemon.tcp_address.rsplit(":", 1)
        crowd = [socket.create_connection((host, int(port)), timeout=30) for _ in range(64)]
        self.assertEqual(daemon.admin.get("/healthz").status, 200)
        for client in crowd:
            client.close()
        daemon.await_value("v1")


if __name__ == "__main__":
    main()
