"""Contexts are shown in events as LaunchDarkly's own SDK shows them: 20,000 random contexts with
random private attributes of their own and of the operator's.

For more, or for another selection, set ORACLE_PAIRS and ORACLE_FIRST."""

import json
import os
import pathlib
import random
import subprocess
import unittest

import fetched

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 840
NAMES = ["name", "email", "a", "b", "c", "a/b", "~x", "/lead", "deep", "d~e/f", " spaced", "ü"]
KINDS = ["user", "org", "device"]


class Cases:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def value(self, depth=0):
        choose = self.random
        kind = choose.randrange(8 if depth < 3 else 6)
        if kind == 0:
            return choose.randrange(-5, 100)
        if kind == 1:
            return choose.random() * 10
        if kind == 2:
            return choose.choice([True, False])
        if kind == 3:
            return choose.choice(["x", "a \"q\"", "ü☃", ""])
        if kind == 4:
            return None if depth else "top"
        if kind == 5:
            return [choose.randrange(3), {"a": 1}]
        return {choose.choice(NAMES): self.value(depth + 1) for _ in range(choose.randrange(4))}

    def reference(self):
        parts = [self.random.choice(NAMES) for _ in range(self.random.randrange(1, 4))]
        if len(parts) == 1 and not parts[0].startswith("/") and self.random.random() < 0.5:
            return parts[0]
        return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)

    def references(self):
        """Without any whole behind a part of it: Go forgets it then, and we do not."""
        kept = []
        for _ in range(self.random.randrange(5)):
            reference = self.reference()
            parts = components(reference)
            if not any(components(part)[:len(parts)] == parts and part != reference
                       for part in kept):
                kept.append(reference)
        return kept

    def individual(self, **kind):
        choose = self.random
        context = {"key": choose.choice(["u", "v", "k w"]), **kind}
        for _ in range(choose.randrange(6)):
            name = choose.choice(NAMES)
            value = self.value()
            context[name] = "n" if name == "name" and not isinstance(value, str) else value
        if choose.random() < 0.3:
            context["anonymous"] = choose.choice([True, False])
        if choose.random() < 0.4:
            context["_meta"] = {
                "privateAttributes": [self.reference() for _ in range(choose.randrange(4))]}
        return context

    def case(self):
        choose = self.random
        if choose.random() < 0.6:
            context = self.individual(kind=choose.choice(KINDS))
        else:
            some = choose.sample(KINDS, choose.randrange(1, len(KINDS) + 1))
            context = {"kind": "multi", **{kind: self.individual() for kind in some}}
        return {"context": context, "all": choose.random() < 0.1, "omit": choose.random() < 0.3,
                "private": self.references() if choose.random() < 0.6 else []}


def components(reference):
    if not reference.startswith("/"):
        return [reference]
    return [part.replace("~1", "/").replace("~0", "~") for part in reference[1:].split("/")]


def plain(shown):
    """Go redacts in the order of its maps, which is none."""
    if isinstance(shown, dict):
        return {name: sorted(value) if name == "redactedAttributes" else plain(value)
                for name, value in shown.items()}
    return [plain(item) for item in shown] if isinstance(shown, list) else shown


def answers(program, cases):
    done = subprocess.run([program], input="".join(json.dumps(case) + "\n" for case in cases),
                          capture_output=True, text=True, check=True, timeout=SECONDS)
    return [plain(json.loads(line)) for line in done.stdout.splitlines()]


class LaunchDarklyEventOracleTest(unittest.TestCase):
    maxDiff = None

    def test_contexts_are_shown_alike(self):
        oracle = fetched.go_programs(HERE / "event_writer") / "event_writer"
        cases = Cases(int(os.environ.get("ORACLE_FIRST", "0")))
        asked = [cases.case() for _ in range(int(os.environ.get("ORACLE_PAIRS", "20000")))]
        expected = answers(oracle, asked)
        ours = answers(os.environ["ORACLE_WRITE_EVENT_CONTEXTS"], asked)
        self.assertEqual((len(expected), len(ours)), (len(asked), len(asked)))
        for case, theirs, written in zip(asked, expected, ours):
            self.assertEqual(theirs, written, json.dumps(case))
        # It was about something.
        self.assertGreater(sum("redactedAttributes" in json.dumps(one) for one in ours),
                           len(asked) // 5)
        self.assertGreater(sum("index" not in one for one in ours), 0)


if __name__ == "__main__":
    unittest.main()
