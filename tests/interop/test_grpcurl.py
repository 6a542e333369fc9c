"""grpcurl with flagd's official schemas: unary calls, errors, streams, sync, over TCP and the Unix
socket."""

import json
import os
import subprocess
import unittest

import fetched
from interop_test_case import HERE, InteropTestCase

GRPCURL = ("github.com/fullstorydev/grpcurl/cmd/grpcurl", "v1.9.4")


def write_schemas(path):
    """flagd's schemas, as the official Python package carries them, for `grpcurl -protoset`."""
    # pylint: disable=import-outside-toplevel
    from google.protobuf import descriptor_pb2
    from openfeature.schemas.protobuf.flagd.evaluation.v1 import evaluation_pb2 as v1
    from openfeature.schemas.protobuf.flagd.evaluation.v2 import evaluation_pb2 as v2
    from openfeature.schemas.protobuf.flagd.sync.v1 import sync_pb2
    files = descriptor_pb2.FileDescriptorSet()
    seen = set()

    def add(descriptor):
        if descriptor.name in seen:
            return
        seen.add(descriptor.name)
        for needed in descriptor.dependencies:
            add(needed)
        descriptor.CopyToProto(files.file.add())
    for module in (v1, v2, sync_pb2):
        add(module.DESCRIPTOR)
    with open(path, "wb") as out:
        out.write(files.SerializeToString())


class Grpcurl(InteropTestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = fetched.go_program(*GRPCURL)
        fetched.use_python_packages(os.path.join(HERE, "requirements.txt"))

    def setUp(self):
        super().setUp()
        write_schemas(self.path("flagd.protoset"))

    def call(self, address, method, message, *options):
        done = subprocess.run(
            [self.program, "-plaintext", "-protoset", self.path("flagd.protoset"),
             "-d", json.dumps(message), *options, address, method],
            capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    def resolve(self, address, service, method, key, context=None, *options):
        code, out, err = self.call(address, f"{service}/{method}",
                                   {"flagKey": key, "context": context or {}}, *options)
        self.assertEqual(code, 0, err)
        return json.loads(out)

    def test_unary_over_tcp_and_socket(self):
        daemon = self.serve()
        for address in (daemon.tcp_address, f"unix://{self.socket}"):
            for service in ("flagd.evaluation.v1.Service", "flagd.evaluation.v2.Service"):
                with self.subTest(address=address, service=service):
                    answer = self.resolve(address, service, "ResolveInt", "count")
                    self.assertEqual((answer["value"], answer["variant"], answer["reason"]),
                                     ("3", "few", "STATIC"))
                    answer = self.resolve(address, service, "ResolveString", "by-plan",
                                          {"plan": "paid"})
                    self.assertEqual(answer["value"], "full")

    def test_errors_have_grpc_codes(self):
        daemon = self.serve()
        for key, name in (("missing", "NotFound"), ("greeting", "InvalidArgument"),
                          ("broken", "DataLoss")):
            with self.subTest(key=key):
                _, _, err = self.call(daemon.tcp_address,
                                      "flagd.evaluation.v1.Service/ResolveBoolean",
                                      {"flagKey": key})
                self.assertIn(f"Code: {name}", err)

    def test_streams(self):
        daemon = self.serve()
        code, out, _ = self.call(daemon.tcp_address, "flagd.evaluation.v1.Service/EventStream", {},
                                 "-max-time", "1")
        self.assertNotEqual(code, 0, "the deadline ends the stream")
        self.assertEqual(json.loads(out)["type"], "provider_ready")

    def test_fetch_all_flags(self):
        daemon = self.serve()
        code, out, err = self.call(daemon.tcp_address, "flagd.sync.v1.FlagSyncService/FetchAllFlags",
                                   {})
        self.assertEqual(code, 0, err)
        document, = json.loads(out).values()
        self.assertIn("greeting", json.loads(document)["flags"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
