"""The official Node clients: @openfeature/flagd-provider over TCP and over the Unix socket, RPC and
in-process, and @openfeature/flagd-web-provider (Connect)."""

import json
import os
import unittest

import fetched
import flag_set
from client_process import ClientProcess
from interop_test_case import HERE, InteropTestCase, host_and_port


class NodeClients(InteropTestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = fetched.node_folder(os.path.join(HERE, "node"))

    def client(self, provider, **options):
        client = ClientProcess(["node", "flagd_client.mjs", json.dumps(
            {"provider": provider, "options": options})], self.node)
        self.addCleanup(client.close)
        client.await_event("ready")
        return client

    def server_client(self, daemon, **options):
        host, port = host_and_port(daemon.tcp_address)
        return self.client("server", host=host, port=port, tls=False, cache="disabled",
                           deadlineMs=10_000, retryBackoffMs=100, retryBackoffMaxMs=200, **options)

    def web_client(self, daemon):
        host, port = host_and_port(daemon.tcp_address)
        return self.client("web", host=host, port=port, tls=False, maxDelay=200)

    def test_server_rpc_over_tcp(self):
        self.check_cases(self.server_client(self.serve()).ask)

    def test_server_rpc_over_the_unix_socket(self):
        self.serve()
        client = self.client("server", socketPath=self.socket, cache="disabled")
        self.check_cases(client.ask)

    def test_server_in_process(self):
        client = self.server_client(self.serve(), resolverType="in-process")
        self.check_cases(client.ask, flag_set.CASES)

    def test_server_tells_metadata(self):
        details = self.server_client(self.serve()).ask("boolean", "yes", False)
        self.assertEqual(details["flagMetadata"], {"owner": "platform", "ticket": "F-1",
                                                   "weight": 2.5, "experimental": False})

    def check_a_kill(self, client_of):
        daemon = self.serve()
        client = client_of(daemon)
        self.change_flags(hello="after the kill")
        self.restart_on_same_address(daemon)
        self.eventually(
            lambda: client.ask("string", "greeting", "-")["value"] == "after the kill",
            "answers after the restart")

    def test_server_hears_of_a_change(self):
        client = self.server_client(self.serve())
        self.change_flags(hello="changed")
        self.assertEqual(client.await_event("changed")[0]["flags"], ["greeting"])
        self.assertEqual(client.ask("string", "greeting", "-")["value"], "changed")

    def test_server_reconnects_after_a_kill(self):
        self.check_a_kill(self.server_client)

    def test_web_every_type(self):
        client = self.web_client(self.serve())
        typed = [case for case in flag_set.CASES if case[0][0] != "integer"]
        self.check_cases(client.ask, typed)
        self.check_cases(client.ask, [
            (("integer", "count", 9, {}), {"value": 3, "variant": "few"}),
            (("boolean", "missing", True, {}), {"value": True, "errorCode": "FLAG_NOT_FOUND"}),
            (("boolean", "greeting", True, {}), {"value": True, "errorCode": "TYPE_MISMATCH"})])

    def test_web_hears_of_a_change(self):
        client = self.web_client(self.serve())
        self.change_flags(hello="changed")
        client.await_event("changed")
        self.assertEqual(client.ask("string", "greeting", "-")["value"], "changed")

    def test_web_reconnects_after_a_kill(self):
        self.check_a_kill(self.web_client)


if __name__ == "__main__":
    unittest.main(verbosity=2)
