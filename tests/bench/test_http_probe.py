"""Where an answer ends, by its length or by its chunks, however it comes."""

import contextlib
import pathlib
import socket
import tempfile
import threading
import unittest

from http_probe import HttpProbe

ANSWERS = {
    "a length": (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", 200, b"hello"),
    "nothing": (b"HTTP/1.1 304 Not Modified\r\nETag: a\r\n\r\n", 304, b""),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"5\r\nhello\r\nA\r\n, 0\r\n\r\n000\r\n0\r\n\r\n", 200, b"hello, 0\r\n\r\n000"),
}


@contextlib.contextmanager
def answering(*pieces):
    """A server whose answer to one request comes in those pieces, as a probe's target."""
    def answer():
        peer, _ = listener.accept()
        with peer:
            peer.recv(1000)
            for piece in pieces:
                peer.sendall(piece)
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = pathlib.Path(folder) / "s"
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=answer)
        thread.start()
        yield f"unix:{path}"
        thread.join()


class Probe(unittest.TestCase):
    def test_finds_the_end(self):
        for what, (raw, status, body) in ANSWERS.items():
            for pieces in ([raw], [raw[i:i + 1] for i in range(len(raw))]):
                with self.subTest(what=what, pieces=len(pieces)), answering(*pieces) as target, \
                        HttpProbe(target) as probe:
                    answer = probe.ask_path("/")
                    self.assertEqual((answer.raw, answer.status, answer.body), (raw, status, body))


if __name__ == "__main__":
    unittest.main()
