"""A daemon whose upstream is LaunchDarkly's service as its Go SDK's makers play it in their own
tests: ldservices for the first protocol, ldservicesv2 for the second."""

import json
import os

import fetched
from client_process import ClientProcess
from launchdarkly_app_case import main
from launchdarkly_client import FOLDER
from launchdarkly_flags import answering, flag
from launchdarkly_test_case import SDK_KEY, LaunchDarklyTestCase


class Mocks(ClientProcess):
    """launchdarkly/go/mocks."""

    def __init__(self, *flags, fdv2):
        program = os.path.join(fetched.go_programs(os.path.join(FOLDER, "go")), "mocks")
        super().__init__([program, json.dumps({"flags": flags, "fdv2": fdv2})], "/")

    def uri(self):
        return self.await_event("listening")[0]["uri"]

    def do(self, command, **arguments):
        self.request(do=command, **arguments)

    def paths(self):
        return [event["path"].partition("?")[0] for event in self.events("request")]


class OnMocks(LaunchDarklyTestCase):
    def mocks(self, *flags, fdv2):
        made = Mocks(*flags, fdv2=fdv2)
        self.addCleanup(made.close)
        return made

    def check(self, fdv2, path):
        mocks = self.mocks(answering("v1"), flag("other"), fdv2=fdv2)
        daemon = self.flagstone(mocks)
        client = daemon.ofrep()
        self.assertEqual(client.value("answer"), "v1")
        self.assertIs(client.value("other"), True)
        mocks.do("set", flag=answering("v2", version=2))
        daemon.await_value("v2")
        mocks.do("set", flag=answering("new", key="newcomer"))
        daemon.await_value("new", key="newcomer")
        mocks.do("delete", key="other", version=2)
        self.eventually(lambda: client.evaluate("other").status == 404, "the deletion")
        streams = mocks.paths().count(path)
        mocks.do("end")
        self.eventually(lambda: mocks.paths().count(path) > streams, "a new stream")
        self.assertEqual(client.value("answer"), "v2")
        mocks.do("set", flag=answering("v3", version=3))
        daemon.await_value("v3")
        self.assertEqual({event["key"] for event in mocks.events("request")}, {SDK_KEY})

    def test_first_protocol(self):
        self.check(fdv2=False, path="/all")

    def test_second_protocol(self):
        self.check(fdv2=True, path="/sdk/stream")

    def test_polling(self):
        for fdv2, path in ((False, "/sdk/latest-all"), (True, "/sdk/poll")):
            with self.subTest(fdv2=fdv2):
                mocks = self.mocks(answering("v1"), fdv2=fdv2)
                daemon = self.flagstone(mocks, source={"streaming": False})
                self.assertEqual(daemon.ofrep().value("answer"), "v1")
                self.eventually(lambda m=mocks, p=path: p in m.paths(), path)
                mocks.do("set", flag=answering("v2", version=2))
                mocks.do("end")
                daemon.await_value("v2")


if __name__ == "__main__":
    main()
