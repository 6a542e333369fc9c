"""The scripted upstream itself: a fake that misbehaves other than intended proves nothing."""

import gzip
import http.client
import socket
import unittest
import urllib.error
import urllib.request

import daemon_test_case  # Puts the fakes on the path.
from behaviours import (document, gzip_bomb, hang, redirect, reset, sequence, status, truncated,
                        truncated_chunks)
from scripted_upstream import ScriptedUpstream


class Fake(unittest.TestCase):
    def setUp(self):
        self.fake = ScriptedUpstream(document(b"{}", '"1"'))
        self.addCleanup(self.fake.close)

    def get(self, **headers):
        request = urllib.request.Request(self.fake.uri(), headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def test_document_and_304(self):
        self.assertEqual(self.get()[::2], (200, b"{}"))
        self.assertEqual(self.get(**{"If-None-Match": '"1"'})[::2], (304, b""))
        self.fake.serve(document(b"{}", '"2"', compressed=True))
        code, headers, body = self.get(**{"If-None-Match": '"1"'})
        self.assertEqual((code, headers["ETag"], gzip.decompress(body)), (200, '"2"', b"{}"))
        self.assertEqual([r.header("If-None-Match") for r in self.fake.await_requests(3)],
                         [None, '"1"', '"1"'])

    def test_statuses_in_sequence(self):
        self.fake.serve(sequence(status(429, [("Retry-After", "3")]), redirect("/x", 307),
                                 status(500)))
        code, headers, _ = self.get()
        self.assertEqual((code, headers["Retry-After"]), (429, "3"))
        with self.assertRaises(urllib.error.URLError):
            self.fake.serve(redirect(self.fake.uri()))
            urllib.request.urlopen(self.fake.uri(), timeout=10)

    def test_cut_bodies(self):
        for behaviour in (truncated(b"0123456789", '"1"'), truncated_chunks(b"01234", '"1"')):
            self.fake.serve(behaviour)
            with self.assertRaises(http.client.IncompleteRead):
                self.get()

    def test_reset_and_death_and_return(self):
        self.fake.serve(reset())
        with self.assertRaises(ConnectionResetError):
            self.get()
        self.fake.die()
        with self.assertRaises(urllib.error.URLError):
            self.get()
        self.fake.serve(document(b"back"))
        self.fake.revive()
        self.assertEqual(self.get()[2], b"back")

    def test_hanging_ends_with_the_next_script(self):
        self.fake.serve(hang())
        with socket.create_connection(("127.0.0.1", self.fake.port), timeout=10) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            self.fake.await_requests(1)
            self.fake.serve(document(b"{}"))
            self.assertEqual(client.recv(1), b"")

    def test_the_bomb_is_one(self):
        self.fake.serve(gzip_bomb(20, '"b"'))
        body = self.get()[2]
        self.assertLess(len(body), 100_000)
        self.assertGreater(len(gzip.decompress(body)), 20 << 20)

    def test_waiting_in_vain_fails(self):
        with self.assertRaises(AssertionError):
            self.fake.await_requests(1, timeout=0.01)


if __name__ == "__main__":
    daemon_test_case.main()
