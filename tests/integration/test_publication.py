"""Answers while flags are replaced without a pause: each is wholly of one document, on every thread.

The clients ask over several keep-alive connections, which the serving threads share. Bounded by the
number of replacements; meant for ThreadSanitizer, and of use without it."""

import json
import threading

from bench import flag_set
from daemon_test_case import DaemonTestCase, main
from flag_documents import answering
from flagstone_process import PATIENCE_SECONDS

SERVING_THREADS = 2
CONNECTIONS = 8
PADDING = 200        # flags beside `answer`
REPLACEMENTS = 60
ANSWERS_BETWEEN = 16  # that all clients together get before the next replacement
HEARD_EVERY = 5       # replacements, one is waited for; others may be passed over, replaced themselves
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

    def await_more(self, answers):
        with self._changed:
            wanted = self.count() + answers
            return self._changed.wait_for(lambda: self.count() >= wanted, PATIENCE_SECONDS)

    def await_again(self, kinds):
        """Each of these kinds once more."""
        with self._changed:
            before = {kind: self.kinds.get(kind, 0) for kind in kinds}
            return self._changed.wait_for(
                lambda: all(self.kinds.get(kind, 0) > before[kind] for kind in kinds),
                PATIENCE_SECONDS)


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
        """Replaces the file by each document in turn, and returns what was heard. A document is its
        bytes and the kinds of answers that show it."""
        heard = Heard()
        askers = [Asker(daemon.ofrep(), questions[number % len(questions)], heard)
                  for number in range(CONNECTIONS)]
        for asker in askers:
            asker.start()
        try:
            for number in range(REPLACEMENTS):
                content, kinds = documents[number % len(documents)]
                self.write("flags.json", content)
                if number % HEARD_EVERY == 0:
                    self.assertTrue(heard.await_again(kinds), f"{kinds}, {heard.kinds}")
                self.assertTrue(heard.await_more(ANSWERS_BETWEEN), heard.kinds)
        finally:
            heard.stopped = True
            for asker in askers:
                asker.join(PATIENCE_SECONDS)
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
        of_a, of_b = ({f"single {value}", f"bulk {1 + PADDING} {value}"} for value in "ab")
        kinds = self.ask_while_replacing(daemon, (single, bulk), ((b, of_b), (a, of_a)))
        self.assertEqual(of_a | of_b, set(kinds), "each kind was heard, and nothing else")

        self.write("flags.json", b)
        daemon.await_value("b")
        for question in (single, bulk):
            self.eventually(lambda asked=question: self.every_connection(daemon, asked) <= of_b,
                            f"every thread to answer b: {question.__name__}")

    def test_rules_with_shared_evaluators_are_replaced_while_they_run(self):
        documents = [(flag_set.document(FLAGS_WITH_RULES, revision=number, shift=number, set_id="set"),
                      {number, f"{FLAGS_WITH_RULES} of {FLAGS_WITH_RULES}"}) for number in (1, 2, 3)]
        daemon = self.start_two_threads(documents[0][0])

        def revision(client):
            return client.value(flag_set.REVISION_FLAG)

        def all_flags(client):
            """How many flags came without an error."""
            flags = client.bulk({"targetingKey": "user-1", "country": "DE"}).json["flags"]
            good = sum("errorCode" not in flag for flag in flags)
            return f"{good} of {len(flags)}"

        kinds = self.ask_while_replacing(daemon, (revision, all_flags), documents)
        self.assertEqual({1, 2, 3, f"{FLAGS_WITH_RULES} of {FLAGS_WITH_RULES}"}, set(kinds))
        last = json.loads(documents[(REPLACEMENTS - 1) % len(documents)][0])
        expected = last["flags"][flag_set.REVISION_FLAG]["variants"]["now"]
        self.eventually(lambda: self.every_connection(daemon, revision) == {expected},
                        "every thread to answer the last revision")


if __name__ == "__main__":
    main()
