"""The guard itself: a planted growth fails and is named, noise and savings pass, profiles are read right."""

import copy
import unittest

import callgrind_profile
import check

BUDGETS = {
    "single": {"instructions": 10_000, "functions": {"parse(char const*)": 6_000, "answer()": 3_900}},
    "bulk": {"instructions": 50_000, "functions": {"answer()": 49_000}},
}
# As callgrind writes it: names once, then by number; a call's cost follows its `calls=` line.
PROFILE = """version: 1
cmd: instruction_script
desc: Trigger: Client Request: single
positions: line
events: Ir
ob=(1) /usr/bin/script
fl=(1) a.cc
fn=(1) outer(int)
10 100
+2 7
cfn=(2) inner() [clone .constprop.0]
calls=3 5
12 900
13 1

fn=(2)
5 400
* 500
cfn=(1)
calls=1 10
5 100
fn=(3) inner()
9 30
cob=(2) /lib/libzip.so.1.2
cfn=(5) 0x00000000000188b0
calls=1 0
10 8
fn=(4) outer(int)'2
10 2
ob=(2)
fn=(5)
0 5
fn=(6) 0x0000000000019000
0 3
totals: 1040
""".splitlines()


def measured(**instructions):
    """What the budgets say, but with these functions' growth in the case `single`."""
    now = copy.deepcopy(BUDGETS)
    single = now["single"]
    for name, more in instructions.items():
        key = {"parse": "parse(char const*)", "answer": "answer()"}.get(name, name)
        single["functions"][key] = single["functions"].get(key, 0) + more
        single["instructions"] += more
    return now


class Comparing(unittest.TestCase):
    def test_a_planted_growth_fails_and_is_named(self):
        wrong = check.compare(measured(parse=100, answer=600), BUDGETS)
        self.assertEqual(1, len(wrong), wrong)
        first, *named = wrong[0].splitlines()
        self.assertIn("single: 10,700 instructions, 7.0 % over the budget of 10,000", first)
        self.assertEqual(["  answer(): 3,900 -> 4,500", "  parse(char const*): 6,000 -> 6,100"], named)

    def test_a_new_function_is_named_first_when_it_is_what_costs(self):
        wrong = check.compare(measured(copies=900, small=50, answer=10), BUDGETS)
        self.assertEqual(["  copies: 0 -> 900", "  answer(): 3,900 -> 3,910"], wrong[0].splitlines()[1:])

    def test_only_so_many_are_named(self):
        wrong = check.compare(measured(**{f"f{n}": 100 + n for n in range(20)}), BUDGETS)
        self.assertEqual([f"  f{n}: 0 -> {100 + n}" for n in (19, 18, 17, 16, 15)],
                         wrong[0].splitlines()[1:])

    def test_what_passes(self):
        for growth in ({}, {"parse": 500}, {"parse": -5_000}, {"parse": -1_000, "copies": 1_400}):
            with self.subTest(growth):
                self.assertEqual([], check.compare(measured(**growth), BUDGETS))
        self.assertEqual(1, len(check.compare(measured(parse=501), BUDGETS)))

    def test_a_case_on_one_side_only_fails(self):
        fewer = {"single": BUDGETS["single"]}
        self.assertIn("bulk: has a budget but was not measured", check.compare(fewer, BUDGETS))
        self.assertIn("bulk: has no budget", check.compare(BUDGETS, fewer)[0])

    def test_a_saving_is_worth_saying(self):
        self.assertEqual(["single"], check.to_lower(measured(parse=-501), BUDGETS))
        self.assertEqual([], check.to_lower(measured(parse=-500), BUDGETS))

    def test_new_budgets_keep_what_matters(self):
        kept = check.as_budgets({"single": {"instructions": 1000,
                                            "functions": {"b": 10, "tiny": 4, "a": 10, "dear": 900}}})
        self.assertEqual({"single": {"instructions": 1000, "functions": {"dear": 900, "a": 10, "b": 10}}},
                         kept)
        self.assertEqual(["dear", "a", "b"], list(kept["single"]["functions"]))


class Reading(unittest.TestCase):
    def test_costs_are_the_function_s_own(self):
        self.assertEqual({"outer(int)": 110, "inner()": 930,
                          "(in libzip, without a symbol)": 8}, callgrind_profile.self_costs(PROFILE))

    def test_a_dump_knows_its_case(self):
        self.assertEqual("single", callgrind_profile.case_of(PROFILE))
        at_the_end = ["desc: Trigger: Program termination", *PROFILE[3:]]
        self.assertIsNone(callgrind_profile.case_of(at_the_end))

    def test_strings_are_spelt_short(self):
        string = "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >"
        self.assertEqual("f(std::string&)", callgrind_profile.plain(f"f({string}&)"))

    def test_clones_are_one_function(self):
        for name in ("f(int)", "f(int) [clone .isra.0]", "f(int).constprop.0", "f(int)'2",
                     "f(int).part.0.cold", "f(int) [clone .constprop.1] [clone .lto_priv.3]'2",
                     "f(int).lto_priv.0"):
            with self.subTest(name):
                self.assertEqual("f(int)", callgrind_profile.plain(name))


if __name__ == "__main__":
    unittest.main()
