"""What the tests of official clients have in common: a daemon on the shared flag set, and the
table of what a client has to make of it."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import flag_set  # noqa: E402
from daemon_test_case import DaemonTestCase, main  # noqa: E402,F401


class InteropTestCase(DaemonTestCase):
    def serve(self, **more):
        """A daemon on TCP and a Unix socket, its flags in self.flags; returns it."""
        self.flags = self.write("flags.json", flag_set.encoded())
        self.socket = self.path("f.sock")
        return self.start("file:" + self.flags, listen=("127.0.0.1:0", f"unix:{self.socket}"),
                          **more)

    def change_flags(self, **greetings):
        self.write("flags.json", flag_set.encoded(**greetings))

    def restart_on_same_address(self, daemon):
        """kill -9, and another daemon where it was."""
        address = daemon.tcp_address
        daemon.kill()
        return self.start("file:" + self.flags, listen=(address, f"unix:{self.socket}"))

    def check_cases(self, ask, cases=None):
        """`ask(type, key, fallback, context)` gives the details as a mapping."""
        for question, expected in cases or flag_set.CASES + flag_set.FALLBACK_CASES:
            with self.subTest(key=question[1], type=question[0], context=question[3]):
                details = ask(*question)
                self.assertEqual({name: details.get(name) for name in expected}, expected, details)


def host_and_port(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)
