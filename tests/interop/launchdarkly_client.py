"""LaunchDarkly's server SDKs as small apps in processes of their own (launchdarkly/*): what they
are asked, and what they tell by themselves.

Commands: variation, values, repeat, track, identify, flush, initialized. Events: started, changed
(a flag's data), status (of the data source; not from Node).
"""

import json
import os

import fetched
from client_process import ClientProcess
from flagstone_process import eventually
from interop_test_case import HERE

FOLDER = os.path.join(HERE, "launchdarkly")
EVERYBODY = {"kind": "user", "key": "anybody"}


def python_command():
    return [fetched.python_program(os.path.join(FOLDER, "requirements.txt")),
            os.path.join(FOLDER, "python_client.py")]


def node_command():
    folder = fetched.node_folder(os.path.join(FOLDER, "node"))
    return ["node", os.path.join(folder, "node_client.mjs")]


def go_command():
    return [os.path.join(fetched.go_programs(os.path.join(FOLDER, "go")), "client")]


COMMANDS = {"python": python_command, "node": node_command, "go": go_command}


class LaunchDarklyClient(ClientProcess):
    def __init__(self, language, uri, key, **options):
        self.language = language
        self.mode = options.get("mode", "streaming")
        command = COMMANDS[language]()
        super().__init__([*command, json.dumps({"uri": uri, "key": key, **options})], "/")

    def do(self, command, **arguments):
        return self.request(do=command, **arguments)

    def started(self):
        """Waits until the SDK has data or gave up waiting; True if it has."""
        return self.await_event("started")[0]["initialized"]

    def variation(self, key, context=None, fallback=None):
        return self.do("variation", key=key, context=context or EVERYBODY, fallback=fallback)

    def value(self, key, context=None, fallback=None):
        return self.variation(key, context, fallback)["value"]

    def await_change(self, key, count=1):
        """Waits until the SDK told `count` times that this flag changed."""
        def told():
            return [e for e in self.events("changed") if e["key"] == key]
        return self._await(lambda: len(told()) >= count and told(), f"tell of {key}'s change")

    def await_value(self, key, expected, timeout=None):
        """Waits until all flags together, whose evaluation makes no events, say so. Beside
        await_change, since Node's SDK tells of a change with its first data too."""
        eventually(lambda: self.do("values").get(key) == expected,
                   f"{self.language}'s {key} ({self.mode}) to be {expected!r}", timeout)
