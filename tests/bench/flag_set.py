#!/usr/bin/env python3
"""Makes flag sets for the benchmarks: flagd documents of any size, the same for the same seed.

Each flag has two to four variants, one targeting rule and one percentage rollout, about 400 bytes as
JSON. Two flags are in every set: `checkout-flow`, which the load asks for and whose rule the benchmark's
context does not match, so that the rollout decides; and `bench-revision`, which answers the set's
revision, so that a change of the file shows in an answer. Another revision changes this one flag;
another shift changes every other one, too.

    flag_set.py --flags 10000 [--seed 1] [--revision 0] [--shift 0] > flags.json
"""

import argparse
import json
import random
import sys

ASKED_FLAG = "checkout-flow"
REVISION_FLAG = "bench-revision"

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


def version(rng):
    return f"{rng.randint(2, 9)}.{rng.randint(0, 20)}.0"


def condition(rng):
    """One condition of the kinds that people write."""
    return rng.choice([
        lambda: {"in": [{"var": "country"}, rng.sample(COUNTRIES, 4)]},
        lambda: {"ends_with": [{"var": "email"}, f"@{rng.choice(TEAMS)}.example.com"]},
        lambda: {"==": [{"var": "plan"}, rng.choice(PLANS)]},
        lambda: {"sem_ver": [{"var": "appVersion"}, ">=", version(rng)]},
        lambda: {"starts_with": [{"var": "targetingKey"}, f"{rng.choice(TEAMS)}-"]},
    ])()


def rollout(rng, variants, shift):
    """Shares that sum to 100; the first is moved by the shift."""
    first = rng.randint(5, 60) + shift
    names = list(variants)
    rest = 100 - first
    shares = [first] + [rest // (len(names) - 1)] * (len(names) - 1)
    shares[-1] += 100 - sum(shares)
    return {"fractional": [[name, share] for name, share in zip(names, shares)]}


def ordinary_flag(rng, shift):
    variants = rng.choice(VARIANT_SETS)
    team = rng.choice(TEAMS)
    rule = condition(rng)
    if rng.random() < 0.5:
        rule = {"and": [rule, condition(rng)]}
    return {
        "state": "ENABLED",
        "variants": variants,
        "defaultVariant": rng.choice(list(variants)),
        "targeting": {"if": [rule, list(variants)[0], rollout(rng, variants, shift)]},
        "metadata": {
            "owner": f"team-{team}",
            "ticket": f"{team.upper()}-{rng.randint(100, 9999)}",
            "expires": f"2027-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
        },
    }


def asked_flag():
    return {
        "state": "ENABLED",
        "variants": STRINGS,
        "defaultVariant": "control",
        "targeting": {
            "if": [
                {"ends_with": [{"var": "email"}, "@checkout.example.com"]},
                "spacious",
                {"fractional": [["control", 50], ["compact", 30], ["spacious", 20]]},
            ]
        },
    }


def revision_flag(revision):
    return {"state": "ENABLED", "variants": {"now": revision}, "defaultVariant": "now"}


def document(flags, seed=1, revision=0, shift=0):
    """A flagd document with `flags` flags as compact JSON text; `shift` is 0 to 20 percent."""
    rng = random.Random(seed)
    made = {ASKED_FLAG: asked_flag(), REVISION_FLAG: revision_flag(revision)}
    for number in range(flags - len(made)):
        made[f"{rng.choice(AREAS)}-{rng.choice(TEAMS)}-{number:06}"] = ordinary_flag(rng, shift)
    return json.dumps({"flags": made}, separators=(",", ":"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flags", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--revision", type=int, default=0)
    parser.add_argument("--shift", type=int, default=0)
    options = parser.parse_args()
    sys.stdout.write(document(options.flags, options.seed, options.revision, options.shift))


if __name__ == "__main__":
    main()
