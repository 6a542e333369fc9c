"""The flags that every official client is asked for, and what each must say."""

import json

DOCUMENT = {
    "metadata": {"owner": "platform"},
    "flags": {
        "yes": {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on",
                "metadata": {"ticket": "F-1", "weight": 2.5, "experimental": False}},
        "greeting": {"state": "ENABLED", "variants": {"hello": "hello there", "empty": ""},
                     "defaultVariant": "hello"},
        "nothing": {"state": "ENABLED", "variants": {"hello": "hello there", "empty": ""},
                    "defaultVariant": "empty"},
        "count": {"state": "ENABLED", "variants": {"few": 3, "none": 0}, "defaultVariant": "few"},
        "zero": {"state": "ENABLED", "variants": {"few": 3, "none": 0}, "defaultVariant": "none"},
        "ratio": {"state": "ENABLED", "variants": {"half": 0.5}, "defaultVariant": "half"},
        "theme": {"state": "ENABLED",
                  "variants": {"dark": {"color": "black", "depth": 3, "tags": ["a", None, True]}},
                  "defaultVariant": "dark"},
        "by-plan": {"state": "ENABLED", "variants": {"free": "basic", "paid": "full"},
                    "defaultVariant": "free",
                    "targeting": {"if": [{"==": [{"var": "plan"}, "paid"]}, "paid", None]}},
        "by-key": {"state": "ENABLED", "variants": {"vip": True, "all": False},
                   "defaultVariant": "all",
                   "targeting": {"if": [{"==": [{"var": "targetingKey"}, "user-1"]}, "vip",
                                        "all"]}},
        "shared-rule": {"state": "ENABLED", "variants": {"in": 1, "out": 2},
                        "defaultVariant": "out",
                        "targeting": {"if": [{"$ref": "staff"}, "in", "out"]}},
        "switched-off": {"state": "DISABLED", "variants": {"on": True}, "defaultVariant": "on"},
        "code-default": {"state": "ENABLED", "variants": {"on": "never"}},
        "broken": {"state": "ENABLED", "variants": {"on": True}, "defaultVariant": "on",
                   "targeting": {"no-such-operator": [1]}},
    },
    "$evaluators": {"staff": {"ends_with": [{"var": "email"}, "@example.com"]}},
}

# (type, key, the caller's fallback, context) → what every provider has to make of it.
CASES = [
    (("boolean", "yes", False, {}), {"value": True, "variant": "on", "reason": "STATIC"}),
    (("string", "greeting", "-", {}),
     {"value": "hello there", "variant": "hello", "reason": "STATIC"}),
    (("string", "nothing", "-", {}), {"value": "", "variant": "empty", "reason": "STATIC"}),
    (("integer", "count", 9, {}), {"value": 3, "variant": "few", "reason": "STATIC"}),
    (("integer", "zero", 9, {}), {"value": 0, "variant": "none", "reason": "STATIC"}),
    (("float", "ratio", 9.5, {}), {"value": 0.5, "variant": "half", "reason": "STATIC"}),
    (("object", "theme", {}, {}),
     {"value": {"color": "black", "depth": 3, "tags": ["a", None, True]}, "variant": "dark",
      "reason": "STATIC"}),
    (("string", "by-plan", "-", {"plan": "paid"}),
     {"value": "full", "variant": "paid", "reason": "TARGETING_MATCH"}),
    (("string", "by-plan", "-", {"plan": "none"}),
     {"value": "basic", "variant": "free", "reason": "DEFAULT"}),
    (("boolean", "by-key", False, {"targetingKey": "user-1"}),
     {"value": True, "variant": "vip", "reason": "TARGETING_MATCH"}),
    (("integer", "shared-rule", 9, {"email": "ada@example.com"}),
     {"value": 1, "variant": "in", "reason": "TARGETING_MATCH"}),
    (("integer", "shared-rule", 9, {"email": "ada@example.org"}),
     {"value": 2, "variant": "out", "reason": "TARGETING_MATCH"}),
]

# What a provider answers from the caller's own fallback, and why.
FALLBACK_CASES = [
    (("boolean", "missing", True, {}), {"value": True, "errorCode": "FLAG_NOT_FOUND"}),
    (("boolean", "greeting", True, {}), {"value": True, "errorCode": "TYPE_MISMATCH"}),
    (("boolean", "broken", True, {}), {"value": True, "errorCode": "PARSE_ERROR"}),
    (("boolean", "switched-off", True, {}), {"value": True, "reason": "DISABLED"}),
    (("string", "code-default", "mine", {}), {"value": "mine", "reason": "DEFAULT"}),
]


def encoded(**greetings):
    """The document, with other texts for `greeting` if given."""
    whole = json.loads(json.dumps(DOCUMENT))
    for variant, text in greetings.items():
        whole["flags"]["greeting"]["variants"][variant] = text
    return json.dumps(whole)
