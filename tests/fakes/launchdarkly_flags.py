"""LaunchDarkly's flags and segments as JSON objects, for tests: only what a test says differs from
what the vendor's service would write."""

import json


def flag(key, variations=(True, False), on=True, version=1, **more):
    """A flag that says its first variation to everybody, its last when off."""
    return {"key": key, "version": version, "on": on, "salt": "salt-of-" + key,
            "variations": list(variations), "offVariation": len(variations) - 1,
            "fallthrough": {"variation": 0}, "targets": [], "contextTargets": [], "rules": [],
            "prerequisites": [], "clientSideAvailability": {"usingMobileKey": False,
                                                            "usingEnvironmentId": False},
            "trackEvents": False, "trackEventsFallthrough": False, "debugEventsUntilDate": None,
            **more}


def answering(value, key="answer", version=1, **more):
    """A flag that says `value` to everybody."""
    return flag(key, (value, "off"), version=version, **more)


def clause(attribute, operator, *values, **more):
    return {"attribute": attribute, "op": operator, "values": list(values), "negate": False, **more}


def rule(variation, *clauses, identity="rule-1", **more):
    return {"id": identity, "variation": variation, "clauses": list(clauses), "trackEvents": False,
            **more}


def segment(key, version=1, **more):
    return {"key": key, "version": version, "included": [], "excluded": [],
            "salt": "salt-of-" + key, "rules": [], **more}


def compact(value):
    return json.dumps(value, separators=(",", ":"))
