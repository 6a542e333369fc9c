"""A flag file, a hub, a pod's Flagstone, and the official Python provider at the end: a change comes
through, the hub's death does not, and the pod's Flagstone starts again without the hub."""

import os
import unittest

import fetched
import flag_set
from interop_test_case import HERE, InteropTestCase, host_and_port


class ChainToAClient(InteropTestCase):
    @classmethod
    def setUpClass(cls):
        fetched.use_python_packages(os.path.join(HERE, "requirements.txt"))

    def client_of(self, daemon):
        # pylint: disable=import-outside-toplevel
        from openfeature import api
        from openfeature.contrib.provider.flagd import FlagdProvider
        from openfeature.contrib.provider.flagd.config import CacheType
        host, port = host_and_port(daemon.tcp_address)
        self.addCleanup(api.clear_providers)
        api.set_provider_and_wait(FlagdProvider(
            host=host, port=port, deadline_ms=10_000, retry_backoff_ms=100,
            retry_backoff_max_ms=200, cache=CacheType.DISABLED), self.id())
        return api.get_client(self.id())

    def await_greeting(self, client, text):
        self.eventually(lambda: client.get_string_value("greeting", "-") == text,
                        f"the greeting {text!r}")

    def test_change_death_of_the_hub_restart_of_the_pod(self):
        flags = self.write("flags.json", flag_set.encoded())
        hub = self.start("file:" + flags, state="hub")
        pod = self.start("grpc://" + hub.tcp_address, state="pod")
        client = self.client_of(pod)
        self.await_greeting(client, "hello there")
        self.assertEqual(
            client.get_integer_value("shared-rule", 9), 2, "a shared rule is served on")

        self.change_flags(hello="changed")
        self.await_greeting(client, "changed")

        hub.kill()
        self.eventually(lambda: pod.failures() > 0, "the pod's Flagstone to notice")
        self.assertEqual(client.get_string_value("greeting", "-"), "changed")

        address = pod.tcp_address
        self.assertEqual(pod.stop(), 0)
        self.start("grpc://" + hub.tcp_address, state="pod", listen=(address,))
        self.await_greeting(client, "changed")

        self.change_flags(hello="the hub is back")
        self.start("file:" + flags, state="hub", listen=(hub.tcp_address,))
        self.await_greeting(client, "the hub is back")


if __name__ == "__main__":
    unittest.main(verbosity=2)
