#!/usr/bin/env python3
"""Makes flag sets for benchmarks and tests: flagd documents of any size, the same for the same seed.

Each flag has two to four variants, one targeting rule and one percentage rollout, about 420 bytes as
JSON, so that 100,000 flags are 40 MiB. Three flags are in every set: `checkout-flow`, which the load asks
for and whose rule the benchmark's context does not match, so that the rollout decides; `checkout-enabled`,
the same as a boolean; and `bench-revision`, which answers the set's revision, so that a change of the file
shows in an answer. Another revision changes this one flag; another shift changes every other one, too.

    flag_set.py --flags 10000 [--seed 1] [--revision 0] [--shift 0] [--set-id ID] > flags.json

With a set id, what the flags share follows them: `$evaluators`, which some rules then refer to, and
`metadata` with the id. Tests import this as bench.flag_set.
"""

import argparse
import json
import random
import sys

ASKED_FLAG = "checkout-flow"
ASKED_BOOLEAN_FLAG = "checkout-enabled"
REVISION_FLAG = "bench-revision"
FIXED_FLAGS = (ASKED_FLAG, ASKED_BOOLEAN_FLAG, REVISION_FLAG)

TEAMS = ["checkout", "search", "growth", "payments", "identity", "mobile", "platform"]
AREAS = ["cart", "login", "ranking", "invoice", "profile", "banner", "export", "onboarding"]
COUNTRIES = ["DE", "FR", "GB", "US", "BR", "JP", "IN", "SE", "PL", "ES"]
PLANS = ["free", "basic", "team", "business", "enterprise"]

BOOLEANS = {"on": True, "off": False}
STRINGS = {"control": "classic", "compact": "compact-v2", "spacious": "spacious-v2"}
NUMBERS = {"low": 10, "medium": 250, "high": 4000, "unlimited": 1000000}
OBJECTS = {
    "small": {"color": "#1a73e8", "columns": 2},
    "large": {"color": "#d93025", "columns": 4},
}
VARIANT_SETS = [BOOLEANS, BOOLEANS, STRINGS, NUMBERS, OBJECTS]


def encoded(value):
    return json.dumps(value, separators=(",", ":"))


# A large set is put together from texts that are encoded once: ten times as fast as encoding each flag.
ENCODED_VARIANTS = [(encoded(variants), list(variants)) for variants in VARIANT_SETS]


def staff_of(team):
    return {"ends_with": [{"var": "email"}, f"@{team}.example.com"]}


def evaluator_name(team):
    return f"staff-of-{team}"


class Choices:
    """The seed's draws, each a look into a list; random's own choice() costs several times as much."""

    def __init__(self, seed):
        self._draw = random.Random(seed).random

    def one_of(self, choices):
        return choices[int(self._draw() * len(choices))]

    def number(self, first, last):
        return first + int(self._draw() * (last - first + 1))


class Conditions:
    """Conditions of the kinds that people write, as texts."""

    def __init__(self, by_reference):
        self._staff = [encoded({"$ref": evaluator_name(team)} if by_reference else staff_of(team))
                       for team in TEAMS]
        self._countries = [encoded({"in": [{"var": "country"}, (COUNTRIES + COUNTRIES)[first:first + 4]]})
                           for first in range(len(COUNTRIES))]
        self._plans = [encoded({"==": [{"var": "plan"}, plan]}) for plan in PLANS]
        self._versions = [encoded({"sem_ver": [{"var": "appVersion"}, ">=", f"{major}.{minor}.0"]})
                          for major in range(2, 10) for minor in range(21)]
        self._keys = [encoded({"starts_with": [{"var": "targetingKey"}, f"{team}-"]}) for team in TEAMS]
        self._kinds = [self._staff, self._countries, self._plans, self._versions, self._keys]

    def draw(self, choices):
        return choices.one_of(choices.one_of(self._kinds))


def rollout(choices, names, shift):
    """Shares that sum to 100; the first is moved by the shift."""
    first = choices.number(5, 60) + shift
    each, left_over = divmod(100 - first, len(names) - 1)
    shares = [first, *[each] * (len(names) - 2), each + left_over]
    return ",".join(f'["{name}",{share}]' for name, share in zip(names, shares))


def ordinary_flag(choices, conditions, shift):
    variants, names = choices.one_of(ENCODED_VARIANTS)
    team = choices.one_of(TEAMS)
    rule = conditions.draw(choices)
    if choices.number(0, 1):
        rule = f'{{"and":[{rule},{conditions.draw(choices)}]}}'
    return (f'{{"state":"ENABLED","variants":{variants},"defaultVariant":"{choices.one_of(names)}",'
            f'"targeting":{{"if":[{rule},"{names[0]}",'
            f'{{"fractional":[{rollout(choices, names, shift)}]}}]}},'
            f'"metadata":{{"owner":"team-{team}","ticket":"{team.upper()}-{choices.number(100, 9999)}",'
            f'"expires":"2027-{choices.number(1, 12):02}-{choices.number(1, 28):02}",'
            f'"description":"Asked for by {team}, rolled out in steps"}}}}')


def asked_flag(variants, shares):
    return {
        "state": "ENABLED",
        "variants": variants,
        "defaultVariant": next(iter(variants)),
        "targeting": {"if": [staff_of("checkout"), list(variants)[-1], {"fractional": shares}]},
    }


def revision_flag(revision):
    return {"state": "ENABLED", "variants": {"now": revision}, "defaultVariant": "now"}


def keys(flags, seed=1):
    """The keys of a set of `flags` flags; the same for every revision and shift."""
    choices = Choices(f"keys {seed}")
    return [*FIXED_FLAGS, *(f"{choices.one_of(AREAS)}-{choices.one_of(TEAMS)}-{number:06}"
                            for number in range(flags - len(FIXED_FLAGS)))]


def document(flags, seed=1, revision=0, shift=0, set_id=None):
    """A flagd document with `flags` flags as compact JSON text; `shift` is 0 to 20 percent."""
    choices = Choices(seed)
    conditions = Conditions(by_reference=set_id is not None)
    fixed = {
        ASKED_FLAG: asked_flag(STRINGS, [["control", 50], ["compact", 30], ["spacious", 20]]),
        ASKED_BOOLEAN_FLAG: asked_flag(BOOLEANS, [["on", 50], ["off", 50]]),
        REVISION_FLAG: revision_flag(revision),
    }
    members = [f'"{key}":{encoded(fixed[key]) if key in fixed else ordinary_flag(choices, conditions, shift)}'
               for key in keys(flags, seed)]
    text = f'{{"flags":{{{",".join(members)}}}'
    if set_id is not None:
        text += f',"$evaluators":{encoded({evaluator_name(team): staff_of(team) for team in TEAMS})}'
        text += f',"metadata":{encoded({"flagSetId": set_id})}'
    return text + "}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flags", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--revision", type=int, default=0)
    parser.add_argument("--shift", type=int, default=0)
    parser.add_argument("--set-id", help="adds $evaluators and metadata with this flagSetId")
    options = parser.parse_args()
    sys.stdout.write(document(options.flags, options.seed, options.revision, options.shift,
                              options.set_id))


if __name__ == "__main__":
    main()
