"""An official client in a process of its own, driven line by line: flagd_client.mjs for Node."""

import json
import subprocess
import threading

from flagstone_process import PATIENCE_SECONDS


class ClientProcess:
    def __init__(self, command, folder):
        self._answers = []
        self._events = []
        self._changed = threading.Condition()
        self._ended = False
        self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                continue  # The SDKs' own chatter.
            with self._changed:
                (self._answers if "details" in message else self._events).append(message)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _await(self, found, what):
        with self._changed:
            self._changed.wait_for(lambda: found() or self._ended, PATIENCE_SECONDS)
            result = found()
            if not result:
                raise AssertionError(f"the client did not {what}; it said {self._events}")
            return result

    def request(self, **message):
        """Says it, and waits for the answer's details."""
        count = len(self._answers)
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        self._await(lambda: len(self._answers) > count, f"answer {message}")
        return self._answers[count]["details"]

    def ask(self, kind, key, fallback, context=None):
        return self.request(type=kind, key=key, fallback=fallback, context=context)

    def events(self, name):
        with self._changed:
            return [event for event in self._events if event.get("event") == name]

    def await_event(self, name, at_least=1):
        return self._await(lambda: len(self.events(name)) >= at_least and self.events(name),
                           f"tell of {at_least} × {name}")

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(PATIENCE_SECONDS)
        self.process.stdout.close()
