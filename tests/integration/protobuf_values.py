"""Protobuf by hand, as little as flagd's evaluation messages need: an encoder and a decoder that
share nothing with the daemon's."""

import struct


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def data(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def value(thing):
    """google.protobuf.Value"""
    if thing is None:
        return b"\x08\x00"
    if isinstance(thing, bool):
        return b"\x20" + bytes([thing])
    if isinstance(thing, (int, float)):
        return b"\x11" + struct.pack("<d", thing)
    if isinstance(thing, str):
        return data(3, thing)
    if isinstance(thing, dict):
        return data(5, structure(thing))
    return data(6, b"".join(data(1, value(item)) for item in thing))


def structure(mapping):
    """google.protobuf.Struct"""
    return b"".join(data(1, data(1, key) + data(2, value(thing))) for key, thing in mapping.items())


def resolve_request(key, context):
    return data(1, key) + data(2, structure(context))


def fields(message):
    """[(number, int or bytes)] of a message."""
    found, at = [], 0

    def number():
        nonlocal at
        out, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            out |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return out

    while at < len(message):
        tag = number()
        if tag & 7 == 0:
            found.append((tag >> 3, number()))
            continue
        size = {1: 8, 5: 4}.get(tag & 7)
        if size is None:
            assert tag & 7 == 2, tag
            size = number()
        assert at + size <= len(message)
        found.append((tag >> 3, message[at:at + size]))
        at += size
    return found


def read_value(message):
    kinds = dict(fields(message))
    if 2 in kinds:
        return struct.unpack("<d", kinds[2])[0]
    if 3 in kinds:
        return kinds[3].decode()
    if 4 in kinds:
        return bool(kinds[4])
    if 5 in kinds:
        return read_structure(kinds[5])
    if 6 in kinds:
        return [read_value(item) for _, item in fields(kinds[6])]
    return None


def read_structure(message):
    out = {}
    for _, entry in fields(message):
        parts = dict(fields(entry))
        out[parts[1].decode()] = read_value(parts[2])
    return out


def _signed(number):
    return number - (1 << 64) if number >> 63 else number


READERS = {
    "ResolveBoolean": bool,
    "ResolveString": lambda content: content.decode(),
    "ResolveFloat": lambda content: struct.unpack("<d", content)[0],
    "ResolveInt": _signed,
    "ResolveObject": read_structure,
}


def read_answer(method, message):
    """A Resolve...Response as its JSON would read; what is absent is left out."""
    found = dict(fields(message))
    out = {"reason": found[2].decode(), "metadata": read_structure(found[4])}
    if 1 in found:
        out["value"] = READERS[method](found[1])
    if 3 in found:
        out["variant"] = found[3].decode()
    return out
