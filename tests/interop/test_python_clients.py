"""The official Python clients: openfeature-provider-flagd (RPC and in-process) and
openfeature-provider-ofrep."""

import os
import threading
import unittest

import fetched
import flag_set
from interop_test_case import HERE, InteropTestCase, host_and_port


class PythonClients(InteropTestCase):
    @classmethod
    def setUpClass(cls):
        fetched.use_python_packages(os.path.join(HERE, "requirements.txt"))
        # pylint: disable=import-outside-toplevel
        from openfeature import api
        from openfeature.contrib.provider.flagd import FlagdProvider
        from openfeature.contrib.provider.flagd.config import CacheType, ResolverType
        from openfeature.contrib.provider.ofrep import OFREPProvider
        from openfeature.evaluation_context import EvaluationContext
        from openfeature.event import ProviderEvent
        cls.api, cls.context = api, EvaluationContext
        cls.flagd, cls.ofrep = FlagdProvider, OFREPProvider
        cls.resolver, cls.cache, cls.event = ResolverType, CacheType, ProviderEvent

    def client(self, provider):
        """A client of that provider, once it is ready."""
        self.addCleanup(self.api.clear_providers)
        self.api.set_provider_and_wait(provider, self.id())
        return self.api.get_client(self.id())

    def flagd_client(self, daemon, **options):
        host, port = host_and_port(daemon.tcp_address)
        options = {"deadline_ms": 10_000, "retry_backoff_ms": 100, "retry_backoff_max_ms": 200,
                   "cache": self.cache.DISABLED, **options}
        return self.client(self.flagd(host=host, port=port, **options))

    def asker(self, client):
        def ask(kind, key, fallback, context):
            attributes = dict(context)
            who = self.context(targeting_key=attributes.pop("targetingKey", None),
                               attributes=attributes)
            details = getattr(client, f"get_{kind}_details")(key, fallback, who)
            return {"value": details.value, "variant": details.variant,
                    "reason": str(details.reason), "flagMetadata": details.flag_metadata,
                    "errorCode": details.error_code and str(details.error_code.value)}
        return ask

    def listen(self, client, event):
        heard = threading.Event()
        details = []

        def handler(about):
            details.append(about)
            heard.set()
        client.add_handler(event, handler)
        return heard, details

    def await_heard(self, heard, what):
        self.assertTrue(heard.wait(30), f"the provider never told of {what}")

    def test_rpc_every_type(self):
        self.check_cases(self.asker(self.flagd_client(self.serve())))

    def test_in_process_every_type(self):
        client = self.flagd_client(self.serve(), resolver_type=self.resolver.IN_PROCESS)
        self.check_cases(self.asker(client), flag_set.CASES)

    def test_ofrep_every_type(self):
        client = self.client(self.ofrep(f"http://{self.serve().tcp_address}"))
        ask = self.asker(client)
        self.check_cases(ask, flag_set.CASES)
        self.assertEqual(ask("boolean", "missing", True, {})["errorCode"], "FLAG_NOT_FOUND")
        metadata = ask("boolean", "yes", False, {})["flagMetadata"]
        self.assertEqual(metadata, {"owner": "platform", "ticket": "F-1", "weight": 2.5,
                                    "experimental": False})

    def test_rpc_hears_of_a_change_and_answers_the_new_value(self):
        client = self.flagd_client(self.serve())
        heard, details = self.listen(client, self.event.PROVIDER_CONFIGURATION_CHANGED)
        self.change_flags(hello="changed")
        self.await_heard(heard, "the change")
        self.assertEqual(details[0].flags_changed, ["greeting"])
        self.assertEqual(client.get_string_value("greeting", "-"), "changed")

    def test_in_process_takes_a_change(self):
        client = self.flagd_client(self.serve(), resolver_type=self.resolver.IN_PROCESS)
        self.change_flags(hello="changed")
        self.eventually(lambda: client.get_string_value("greeting", "-") == "changed",
                        "the change in-process")

    def test_rpc_reconnects_after_a_kill(self):
        daemon = self.serve()
        client = self.flagd_client(daemon)
        self.assertTrue(client.get_boolean_value("yes", False))
        heard, _ = self.listen(client, self.event.PROVIDER_STALE)
        address = daemon.tcp_address
        daemon.kill()
        self.await_heard(heard, "the loss")
        ready, _ = self.listen(client, self.event.PROVIDER_READY)
        ready.clear()
        self.change_flags(hello="after the kill")
        self.start("file:" + self.flags, listen=(address,))
        self.eventually(lambda: client.get_string_value("greeting", "-") == "after the kill",
                        "answers after the restart")
        self.await_heard(ready, "the reconnection")

    def test_in_process_reconnects_after_a_kill(self):
        daemon = self.serve()
        client = self.flagd_client(daemon, resolver_type=self.resolver.IN_PROCESS)
        address = daemon.tcp_address
        daemon.kill()
        self.assertTrue(client.get_boolean_value("yes", False), "it evaluates by itself")
        self.change_flags(hello="after the kill")
        self.start("file:" + self.flags, listen=(address,))
        self.eventually(lambda: client.get_string_value("greeting", "-") == "after the kill",
                        "flags after the restart")

    def test_rpc_over_the_unix_socket(self):
        self.serve()
        provider = self.flagd(host="unix", port=0, deadline_ms=10_000, cache=self.cache.DISABLED)
        # The provider joins host and port with a colon, which a socket's path has no use for.
        import grpc  # pylint: disable=import-outside-toplevel
        from openfeature.schemas.protobuf.flagd.evaluation.v2 import evaluation_pb2_grpc
        provider.resolver.channel = grpc.insecure_channel(f"unix:{self.socket}")
        provider.resolver.stub = evaluation_pb2_grpc.ServiceStub(provider.resolver.channel)
        self.check_cases(self.asker(self.client(provider)))

    def test_selector_and_static_context(self):
        other = self.write("other.json", '{"flags":{"greeting":{"state":"ENABLED","variants":'
                           '{"o":"other"},"defaultVariant":"o"}}}')
        flags = self.write("flags.json", flag_set.encoded())
        daemon = self.start("file:" + flags, "file:" + other,
                            options=["--context-value", "plan=paid"])
        first = self.flagd_client(daemon, selector="source=" + flags)
        self.assertEqual(first.get_string_value("by-plan", "-"), "full")
        self.assertEqual(first.get_string_value("greeting", "-"), "-", "the later source has it")


if __name__ == "__main__":
    unittest.main(verbosity=2)
