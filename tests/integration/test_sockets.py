"""Listeners: loopback only, socket modes, stale sockets taken over, and a second daemon refused."""

import os
import signal
import shutil
import stat
import unittest

from daemon_test_case import DaemonTestCase, main, require_root
from flag_documents import answering

RESTARTS = 20
EX_UNAVAILABLE = 69


class Sockets(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.write("flags.json", answering("v1"))
        self.socket = self.path("f.sock")

    def serve_on(self, *listen, **more):
        return self.start("file:flags.json", listen=listen, **more)

    def test_a_stale_socket_after_kill_is_taken_over(self):
        for _ in range(RESTARTS):
            daemon = self.serve_on(f"unix:{self.socket}")
            self.assertEqual(daemon.unix(self.socket).value(), "v1")
            daemon.kill()
            self.assertTrue(os.path.exists(self.socket))

    def test_the_socket_goes_with_an_orderly_end(self):
        daemon = self.serve_on(f"unix:{self.socket}")
        self.assertEqual(daemon.stop(), 0)
        self.assertFalse(os.path.exists(self.socket))

    def test_mode(self):
        self.serve_on(f"unix:{self.socket}")
        mode = os.stat(self.socket)
        self.assertTrue(stat.S_ISSOCK(mode.st_mode))
        self.assertEqual(stat.S_IMODE(mode.st_mode), 0o660)

    def test_a_second_daemon_on_the_socket_is_refused_and_the_first_unharmed(self):
        first = self.serve_on(f"unix:{self.socket}")
        second = self.serve_on(f"unix:{self.socket}", state="other", wait=None)
        self.assertEqual(second.wait(), EX_UNAVAILABLE)
        self.assertIn(self.socket, "\n".join(second.log))
        self.assertEqual(first.unix(self.socket).value(), "v1")
        # And the refused one took nothing with it.
        self.assertTrue(os.path.exists(self.socket))

    def test_a_second_daemon_on_the_port_is_refused(self):
        first = self.serve_on("127.0.0.1:0")
        second = self.serve_on(first.tcp_address, state="other", wait=None)
        self.assertEqual(second.wait(), EX_UNAVAILABLE)
        self.assertIn(first.tcp_address, "\n".join(second.log))
        self.assertEqual(first.ofrep().value(), "v1")

    def test_a_file_in_the_place_of_the_socket_is_not_removed(self):
        self.write("precious", b"data")
        daemon = self.serve_on("unix:" + self.path("precious"), wait=None)
        self.assertEqual(daemon.wait(), EX_UNAVAILABLE)
        with open(self.path("precious"), "rb") as kept:
            self.assertEqual(kept.read(), b"data")

    def test_a_socket_in_a_folder_that_cannot_be(self):
        daemon = self.serve_on("unix:" + self.path("flags.json", "f.sock"), wait=None)
        self.assertEqual(daemon.wait(), EX_UNAVAILABLE)

    def test_a_socket_path_that_is_too_long(self):
        daemon = self.serve_on("unix:" + self.path("x" * 200), wait=None)
        self.assertIn(daemon.wait(), (64, 65, EX_UNAVAILABLE))

    def test_many_listeners(self):
        paths = [self.path(f"{number}.sock") for number in range(3)]
        daemon = self.serve_on("127.0.0.1:0", "127.0.0.1:0", *(f"unix:{path}" for path in paths))
        ports = [address for address in daemon.listeners if not address.startswith("unix:")]
        self.assertEqual(len(set(ports)), 2)
        for path in paths:
            self.assertEqual(daemon.unix(path).value(), "v1")

    def test_an_app_reconnects_after_kill_and_restart(self):
        daemon = self.serve_on(f"unix:{self.socket}")
        client = daemon.unix(self.socket)
        self.assertEqual(client.value(), "v1")
        daemon.kill()
        self.serve_on(f"unix:{self.socket}")
        self.assertEqual(client.value(), "v1")


@require_root
@unittest.skipUnless(shutil.which("unshare") and shutil.which("ip"), "needs unshare and ip")
class Defaults(DaemonTestCase):
    def test_loopback_only(self):
        """In a network of its own, so that the default ports are free."""
        self.write("flags.json", answering("v1"))
        daemon = self.launch(
            ["start", "--uri", "file:flags.json", "--state-dir", self.path("state")],
            wrapper=["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$0" "$@"'],
            environment={"XDG_RUNTIME_DIR": self.folder})
        daemon.await_ready()
        self.assertIn("127.0.0.1:8016", daemon.listeners)
        self.assertEqual(daemon.admin_address, "127.0.0.1:8014")
        listening = set()
        for table in ("tcp", "tcp6"):
            with open(f"/proc/{daemon.process.pid}/net/{table}", encoding="ascii") as lines:
                for line in list(lines)[1:]:
                    fields = line.split()
                    if fields[3] == "0A":
                        listening.add(fields[1])
        self.assertEqual(listening, {"0100007F:1F50", "0100007F:1F4E"})
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(), 0)


if __name__ == "__main__":
    main()
