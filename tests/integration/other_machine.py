"""Another machine: a network namespace joined to ours by a veth pair, and the loss of all that is
sent between the two."""

import ipaddress
import os
import re
import subprocess
import unittest

# An address on the link that no interface has: what is sent to it is lost without a word.
NOBODY = "02:00:00:00:00:99"
# For tests between networks, RFC 2544: nobody's own addresses.
NETWORKS = ipaddress.ip_network("198.18.0.0/15")


class OtherMachine:
    """Made by its constructor, ended by close(); one at a time per process. Name and addresses are
    the process's own, as tests may run beside each other."""

    def __init__(self):
        first = NETWORKS[os.getpid() * 4 % NETWORKS.num_addresses]
        self.ours, self.theirs = str(first + 1), str(first + 2)
        self.name = f"fst{os.getpid()}"
        self.up = False
        try:
            self.ip("netns", "add", self.name)
            self.up = True
            self.ip("link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns",
                    self.name)
            self.ip("addr", "add", f"{self.ours}/30", "dev", self.name)
            self.ip("link", "set", self.name, "up")
            self.within("addr", "add", f"{self.theirs}/30", "dev", "eth0")
            self.within("link", "set", "lo", "up")
            self.within("link", "set", "eth0", "up")
        except (OSError, subprocess.CalledProcessError):
            self.close()
            raise

    @classmethod
    def of(cls, test):
        """One that ends with the test; skips it where none can be made."""
        try:
            made = cls()
        except FileNotFoundError:
            raise unittest.SkipTest("there is no `ip` command") from None
        except subprocess.CalledProcessError as error:
            raise unittest.SkipTest("no network namespace can be made: "
                                    + error.stderr.decode().strip()) from None
        test.addCleanup(made.close)
        return made

    def ip(self, *words):
        subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)

    def within(self, *words):
        self.ip("-n", self.name, *words)

    @property
    def wrapper(self):
        """What a command begins with that is to run there."""
        return ("ip", "netns", "exec", self.name)

    def python(self, code):
        """What a line of Python, run there, prints."""
        done = subprocess.run([*self.wrapper, "python3", "-c", code], check=True,
                              capture_output=True, timeout=60)
        return done.stdout.decode()

    def lose_everything(self):
        """From now on nothing arrives, in either direction, and nobody is told: no interface goes
        down, no reset and no "unreachable" comes back."""
        self.ip("neigh", "replace", self.theirs, "lladdr", NOBODY, "dev", self.name, "nud",
                "permanent")
        self.within("neigh", "replace", self.ours, "lladdr", NOBODY, "dev", "eth0", "nud",
                    "permanent")

    def lose_nothing(self):
        self.within("neigh", "del", self.ours, "dev", "eth0")
        self.ip("neigh", "del", self.theirs, "dev", self.name)

    def timers(self, port):
        """What `ss` says of the timers of our connections to that port there."""
        done = subprocess.run(["ss", "-tnoH", "dst", f"{self.theirs}:{port}"], check=True,
                              capture_output=True, timeout=20)
        return re.findall(r"timer:\((\w+),", done.stdout.decode())

    def close(self):
        if self.up:
            for words in (["link", "del", self.name], ["netns", "del", self.name]):
                subprocess.run(["ip", *words], capture_output=True, check=False, timeout=20)
