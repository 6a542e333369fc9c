"""Just enough of protobuf and gRPC to write one request as bytes: for the load, which wants nothing
computed while it is measured."""

import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fakes"))

from http2_frames import (DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, frame,  # noqa: E402
                          header_block, settings)

def varint(number):
    out = b""
    while number > 0x7f:
        out += bytes([number & 0x7f | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, content):
    """A length-delimited field of a protobuf message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def struct_of(strings):
    """google.protobuf.Struct of string values."""
    return b"".join(field(1, field(1, name.encode()) + field(2, field(3, text.encode())))
                    for name, text in strings.items())


def message(content):
    """In gRPC's frame: not compressed, length, content."""
    return struct.pack(">BI", 0, len(content)) + content


def resolve_request(key, context):
    return message(field(1, key.encode()) + field(2, struct_of(context)))


def opening(path, content=b""):
    """A whole connection's beginning that calls one gRPC method on stream 1."""
    head = header_block([(":method", "POST"), (":scheme", "http"), (":path", path),
                         (":authority", "localhost"), ("content-type", "application/grpc"),
                         ("te", "trailers")])
    return (PREFACE + settings() + frame(HEADERS, END_HEADERS, 1, head) +
            frame(DATA, END_STREAM, 1, message(content)))


def first_data(received):
    """The payload of the first DATA frame in what a server sent, or None while it has not come."""
    while len(received) >= 9:
        length = int.from_bytes(received[:3], "big")
        if len(received) < 9 + length:
            return None
        if received[3] == DATA and length > 0:
            return received[9:9 + length]
        received = received[9 + length:]
    return None
