"""flagd's EventStream: RPC providers hear which flags changed."""

import signal

from connect_client import ConnectStream
from daemon_test_case import DaemonTestCase, main
from flag_documents import encoded, flag, flags

PATH = "/flagd.evaluation.v1.Service/EventStream"
READY = {"type": "provider_ready", "data": None}
STREAMS = 200


def changed(**types):
    return {"type": "configuration_change",
            "data": {"flags": {key: {"type": kind} for key, kind in types.items()}}}


class EventStreams(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.write("flags.json", encoded(flags({"a": 1, "b": 1})))

    def listen(self, daemon, path=PATH, **headers):
        stream = ConnectStream(daemon.ofrep(), path, headers=headers)
        self.addCleanup(stream.close)
        self.assertEqual(stream.response.status, 200)
        return stream

    def test_ready_then_what_changed(self):
        daemon = self.start("file:flags.json")
        for path in (PATH, PATH.replace("v1", "v2"), "/schema.v1.Service/EventStream"):
            with self.subTest(path):
                self.write("flags.json", encoded(flags({"a": 1, "b": 1})))
                self.eventually(lambda: daemon.ofrep().bulk_values() == {"a": 1, "b": 1}, "flags")
                stream = self.listen(daemon, path)
                self.assertEqual(stream.next(), READY)
                self.write("flags.json", encoded(flags({"a": 2, "c": 1})))
                self.assertEqual(stream.next(), changed(a="update", b="delete", c="write"))

    def test_the_provider_s_reaction_sees_the_new_value(self):
        daemon = self.start("file:flags.json")
        stream = self.listen(daemon)
        stream.next()
        self.write("flags.json", encoded(flags({"a": 2, "b": 1})))
        self.assertEqual(stream.next(), changed(a="update"))
        self.assertEqual(daemon.ofrep().value("a"), 2)

    def test_an_evaluator_is_part_of_the_flags_that_refer_to_it(self):
        document = {"flags": {"a": flag(1, targeting={"$ref": "e"}), "b": flag(1)}}
        self.write("flags.json", encoded({**document, "$evaluators": {"e": {"var": "x"}}}))
        daemon = self.start("file:flags.json")
        stream = self.listen(daemon)
        stream.next()
        self.write("flags.json", encoded({**document, "$evaluators": {"e": {"var": "y"}}}))
        self.assertEqual(stream.next(), changed(a="update"))

    def test_selectors(self):
        self.write("other.json", encoded(flags({"o": 1})))
        daemon = self.start("file:flags.json", "file:other.json")
        other = self.listen(daemon, **{"Flagd-Selector": "source=other.json"})
        everything = self.listen(daemon)
        for stream in (other, everything):
            self.assertEqual(stream.next(), READY)
        self.write("flags.json", encoded(flags({"a": 2, "b": 1})))
        self.assertEqual(everything.next(), changed(a="update"))
        self.write("other.json", encoded(flags({"o": 2})))
        self.assertEqual(everything.next(), changed(o="update"))
        self.assertEqual(other.next(), changed(o="update"))
        bad = self.listen(daemon, **{"Flagd-Selector": "colour=blue"})
        self.assertEqual(bad.end()["error"]["code"], "invalid_argument")

    def test_ready_comes_when_there_are_flags(self):
        daemon = self.start("file:late.json", wait="bound")
        stream = self.listen(daemon)
        self.write("late.json", encoded(flags({"a": 1})))
        self.assertEqual(stream.next(), READY)

    def test_shutdown_is_told_and_ends_the_stream_well(self):
        daemon = self.start("file:flags.json")
        stream = self.listen(daemon)
        stream.next()
        daemon.signal(signal.SIGTERM)
        self.assertEqual(stream.next(), {"type": "provider_shutdown", "data": None})
        self.assertIsNone(stream.next())
        self.assertEqual(stream.ended, {})
        self.assertEqual(daemon.wait(), 0)

    def test_stream_deadline(self):
        daemon = self.start("file:flags.json", options=("--stream-deadline", "200ms"))
        stream = self.listen(daemon)
        self.assertEqual(stream.next(), READY)
        self.assertEqual(stream.end()["error"]["code"], "deadline_exceeded")

    def test_many_hear_of_one_change(self):
        daemon = self.start("file:flags.json")
        streams = [self.listen(daemon) for _ in range(STREAMS)]
        for stream in streams:
            self.assertEqual(stream.next(), READY)
        self.write("flags.json", encoded(flags({"a": 1, "b": 2})))
        for stream in streams:
            self.assertEqual(stream.next(), changed(b="update"))


if __name__ == "__main__":
    main()
