"""What a scripted upstream can do with a request, from exemplary to hostile.

Each function returns a behaviour for ScriptedUpstream.serve(). They keep no state of their own, so
that one may be served to many connections at once.
"""

import gzip
import time
import zlib

JSON = ("Content-Type", "application/json")


def document(body, etag=None, headers=(), compressed=False):
    """The honest vendor: 200 with ETag, 304 when the client has it."""
    sent = gzip.compress(body) if compressed else body
    fixed = [JSON, *headers]
    if etag is not None:
        fixed.append(("ETag", etag))
    if compressed:
        fixed.append(("Content-Encoding", "gzip"))

    def behave(exchange):
        if etag is not None and exchange.request.header("If-None-Match") == etag:
            exchange.answer(304, [("ETag", etag)])
        else:
            exchange.answer(200, fixed, sent)
    return behave


def last_modified(body, date):
    """A vendor without ETags: 304 when If-Modified-Since is the date."""
    def behave(exchange):
        if exchange.request.header("If-Modified-Since") == date:
            exchange.answer(304, [("Last-Modified", date)])
        else:
            exchange.answer(200, [JSON, ("Last-Modified", date)], body)
    return behave


def status(code, headers=(), body=b"no"):
    def behave(exchange):
        exchange.answer(code, headers, body)
    return behave


def hang():
    """Takes the request and says nothing."""
    def behave(exchange):
        exchange.wait_for_end()
        exchange.close()
    return behave


def reset():
    """Resets the connection instead of answering."""
    def behave(exchange):
        exchange.reset()
    return behave


def truncated(body, etag, keep=None):
    """Promises the whole body, sends part of it, closes."""
    def behave(exchange):
        part = body[:len(body) // 2 if keep is None else keep]
        head = (f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: {etag}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        exchange.send(head.encode() + part)
        exchange.close()
    return behave


def truncated_chunks(body, etag):
    """A chunked body without its last chunk."""
    def behave(exchange):
        head = (f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: {etag}\r\n"
                "Transfer-Encoding: chunked\r\n\r\n")
        exchange.send(head.encode() + b"%x\r\n" % len(body) + body + b"\r\n")
        exchange.close()
    return behave


def reset_in_body(body, etag):
    """Sends half of the body and resets the connection."""
    def behave(exchange):
        truncated(body, etag)(exchange)
        exchange.reset()
    return behave


def garbage():
    """Speaks no HTTP at all."""
    def behave(exchange):
        exchange.send(b"\x00\x01\x02 this is not HTTP \xff\xfe\r\n\r\n")
        exchange.close()
    return behave


def gzip_bomb(megabytes, etag):
    """A few hundred KiB that unpack to this many MiB of a JSON string; made while sending."""
    def behave(exchange):
        head = ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                f"ETag: {etag}\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
        exchange.send(head.encode())
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        send_chunk(exchange, packer.compress(b'{"flags":{"bomb":"'))
        block = b"A" * (1 << 20)
        for _ in range(megabytes):
            send_chunk(exchange, packer.compress(block))
        send_chunk(exchange, packer.compress(b'"}}') + packer.flush())
        exchange.send(b"0\r\n\r\n")
    return behave


def broken_gzip(body, etag):
    """Says gzip, is not."""
    def behave(exchange):
        exchange.answer(200, [JSON, ("ETag", etag), ("Content-Encoding", "gzip")], body)
    return behave


def dribble(body, etag, seconds_per_byte=1.0):
    """One byte a second."""
    def behave(exchange):
        head = (f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: {etag}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        exchange.send(head.encode())
        generation = exchange.upstream.generation
        for byte in body:
            if generation != exchange.upstream.generation:
                break
            exchange.send(bytes([byte]))
            time.sleep(seconds_per_byte)  # The vendor's own slowness, not a wait of the test's.
        exchange.close()
    return behave


def redirect(location, code=302):
    return status(code, [("Location", location)], b"")


def sequence(*behaviours):
    """One behaviour per request, the last one for all that follow."""
    remaining = list(behaviours)

    def behave(exchange):
        current = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        current(exchange)
    return behave


def send_chunk(exchange, data):
    if data:
        exchange.send(b"%x\r\n" % len(data) + data + b"\r\n")
