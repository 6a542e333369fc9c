"""flagd documents for tests, as Python values and as the bytes an upstream sends."""

import json


def flag(value, variant="on", **more):
    """An enabled flag that answers `value`."""
    return {"state": "ENABLED", "variants": {variant: value}, "defaultVariant": variant, **more}


def flags(values, metadata=None, **flag_more):
    """A document of one flag per item of the mapping key -> value."""
    whole = {"flags": {key: flag(value, **flag_more) for key, value in values.items()}}
    if metadata is not None:
        whole["metadata"] = metadata
    return whole


def encoded(whole):
    return json.dumps(whole).encode()


def answering(value, padding=0):
    """The bytes of a document whose flag `answer` is `value`, with `padding` flags besides that
    say the same, so that a mixture of two documents shows."""
    values = {"answer": value}
    values.update({f"padding-{number:05d}": value for number in range(padding)})
    return encoded(flags(values))


def nested(levels):
    """A document with one flag whose targeting is `levels` deep."""
    rule = '{"!":[' * levels + "true" + "]}" * levels
    return ('{"flags":{"answer":{"state":"ENABLED","variants":{"on":"nested"},'
            '"defaultVariant":"on","targeting":' + rule + "}}}").encode()


EMPTY = b'{"flags":{}}'
