"""Answers while flags are replaced without a pause: each is wholly of one document, on every thread.

The clients ask over several keep-alive connections, which the serving threads share. Bounded by the
number of replacements; meant for ThreadSanitizer, and of use without it."""

import json
import threading

from bench import flag_set
from daemon_test_case import DaemonTestCase, main
from flag_documents import answering

SERVING_THREADS = 2
CONNECTIONS = 8
PADDING = 200        # flags beside `answer`
REPLACEMENTS = 60
TAKEN_MIN = 10       # of them; a document that is replaced at once may be passed over
ANSWERS_BETWEEN = 16  # that all clients together get before the next replacement
FLAGS_WITH_RULES = 300


class Asker(threading.Thread):
    """One client on one connection that asks until told to stop, and judges every answer."""

    def __init__(self, client, question, heard):
        super().__init__(daemon=True)
        self._client, self._question, self._heard = client, question, heard

    def run(self):
        try:
            with self._client as client:
                while not self._heard.stopped:
                    self._heard.add(self._question(client))
        except Exception as error:  # pylint: disable=broad-exception-caught
            self._heard.add(f"broken: {error!r}")


class Heard:
    """What all askers were answered, as a set of kinds with a count; shared under its lock."""

    def __init__(self):
        self._changed = threading.Condition()
        self.kinds = {}
        self.stopped = False

    def add(self, kind):
        with self._changed:
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            self._changed.notify_all()

    def count(self):
        return sum(self.kinds.values())

    def await_more(self, answers, patience):
        with self._changed:
            wanted = self.count() + answers
            return self._changed.wait_for(lambda: self.count() >= wanted, patience)


def single(client):
    answer = client.evaluate("answer")
    return f"single {answer.value}" if answer.status == 200 else f"single {answer!r}"


def bulk(client):
    """The one value of all its flags, or all that it had."""
    answer = client.bulk()
    if answer.status != 200:
        return f"bulk {answer!r}"
    values = [flag.get("value") for flag in answer.json["flags"]]
    return f"bulk {len(values)} {'+'.join(sorted(set(map(str, values))))}"


class Publication(DaemonTestCase):
    def ask_while_replacing(self, daemon, questions, documents):
        """Replaces the file by each document in turn; returns what was heard."""
        heard = Heard()
        askers = [Asker(daemon.ofrep(), questions[number % len(questions)], heard)
                  for number in range(CONNECTIONS)]
        for asker in askers:
            asker.start()
        try:
            for number in range(REPLACEMENTS):
                self.write("flags.json", documents[number % len(documents)])
                self.assertTrue(heard.await_more(ANSWERS_BETWEEN, patience=30), daemon.describe())
        finally:
            heard.stopped = True
            for asker in askers:
                asker.join(30)
        taken = daemon.metric("flagstone_updates_total", result="accepted")
        self.assertGreaterEqual(taken, TAKEN_MIN)
        return heard.kinds

    def start_two_threads(self, content):
        self.write("flags.json", content)
        return self.start("file:flags.json",
                          options=("--serving-threads", str(SERVING_THREADS)))

    def every_connection(self, daemon, question):
        """What new connections hear, several for each thread."""
        heard = set()
        for _ in range(CONNECTIONS):
            with daemon.ofrep() as client:
                heard.add(question(client))
        return heard

    def test_each_answer_is_of_one_document(self):
        a, b = answering("a", PADDING), answering("b", PADDING)
        daemon = self.start_two_threads(a)
        kinds = self.ask_while_replacing(daemon, (single, bulk), (b, a))
        whole = {f"{kind} {value}" for kind in ("single", f"bulk {1 + PADDING}") for value in "ab"}
        self.assertEqual(whole, set(kinds), "each kind was heard, and nothing else")

        self.write("flags.json", b)
        daemon.await_value("b")
        self.eventually(lambda: self.every_connection(daemon, single) == {"single b"},
                        "every thread to answer b")
        self.assertEqual({f"bulk {1 + PADDING} b"}, self.every_connection(daemon, bulk))

    def test_rules_with_shared_evaluators_are_replaced_while_they_run(self):
        documents = [flag_set.document(FLAGS_WITH_RULES, revision=number, shift=number, set_id="set")
                     for number in (1, 2, 3)]
        daemon = self.start_two_threads(documents[0])

        def revision(client):
            return client.value(flag_set.REVISION_FLAG)

        def all_flags(client):
            """The revision, by the metadata's count of flags that came without an error."""
            flags = client.bulk({"targetingKey": "user-1", "country": "DE"}).json["flags"]
            good = sum("errorCode" not in flag for flag in flags)
            return f"{good} of {len(flags)}"

        kinds = self.ask_while_replacing(daemon, (revision, all_flags), documents)
        self.assertEqual({1, 2, 3, f"{FLAGS_WITH_RULES} of {FLAGS_WITH_RULES}"}, set(kinds))
        last = json.loads(documents[(REPLACEMENTS - 1) % len(documents)])
        expected = last["flags"][flag_set.REVISION_FLAG]["variants"]["now"]
        self.eventually(lambda: self.every_connection(daemon, revision) == {expected},
                        "every thread to answer the last revision")


if __name__ == "__main__":
    main()
