"""Apps under way: threads that evaluate over kept-alive connections until told to stop, and record
every request that got no right answer."""

import http.client
import threading

from ofrep_client import Client


class Load:
    """Used as a context manager; failures is complete once it is left."""

    def __init__(self, addresses, expected, threads=4, allow_refused_at_end=False):
        self.failures = []
        self.answered = 0
        self._expected = expected
        self._tolerant = allow_refused_at_end
        self._stop = threading.Event()
        self._lock = threading.Condition()
        self._threads = [threading.Thread(target=self._run, args=(addresses[i % len(addresses)],))
                         for i in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def await_answers(self, count, timeout=60):
        with self._lock:
            goal = self.answered + count
            if not self._lock.wait_for(lambda: self.answered >= goal, timeout):
                raise AssertionError(f"{self.answered} answers, wanted {goal}; {self.failures[:5]}")

    def _run(self, address):
        connection = Client(address).connection()
        try:
            self._ask(connection)
        finally:
            connection.close()

    def _ask(self, connection):
        fresh = True
        while not self._stop.is_set():
            try:
                connection.request("POST", "/ofrep/v1/evaluate/flags/answer", b'{"context":{}}',
                                   {"Content-Type": "application/json"})
                response = connection.getresponse()
                body = response.read()
            except (ConnectionRefusedError, FileNotFoundError):
                # Nobody listens any more: the app knows that its request was not taken.
                if self._tolerant:
                    return
                self._fail("refused")
                return
            except (OSError, http.client.HTTPException) as error:
                # A kept-alive connection that is closed between two requests is HTTP's ordinary
                # end; the request is asked again on a new one. On a new one it is a lost request.
                connection.close()  # http.client opens it anew for the next request.
                if fresh:
                    self._fail(repr(error))
                    return
                fresh = True
                continue
            fresh = False
            if response.status != 200 or not any(value in body for value in self._expected):
                self._fail(f"{response.status} {body[:200]!r}")
            with self._lock:
                self.answered += 1
                self._lock.notify_all()
            if response.will_close:
                connection.close()
                fresh = True

    def _fail(self, what):
        with self._lock:
            self.failures.append(what)
            self._lock.notify_all()
