"""How rows are judged: against a most or a least, at a busy core or not, measured or not."""

import unittest

import report
import targets


def single(ratio, busy):
    server = {"busy_share": busy, "p99_us": 1}
    return {"rows": [{"transport": "tcp", "connections": 64, "ratio": ratio, "fixed": server,
                      "flagstone": server}]}


def evalx(flags, cpu_us, asked="evalx, all flags"):
    return {"asked": asked, "flags": flags, "flagstone": {"cpu_us": cpu_us}}


def launchdarkly(rows=(), bodies=1.0, patch_p99_ms=1.0):
    return {"launchdarkly": {"rows": list(rows)},
            "launchdarkly_put": {"subscribers": 500, "body_mib": 5.0, "grown_bodies": bodies},
            "launchdarkly_patch": [{"protocol": "fdv1", "p99_ms": patch_p99_ms}]}


class Targets(unittest.TestCase):
    def test_on_either_side(self):
        for made, met in ((targets.row("a", 10, 10, "ms"), True), (targets.row("a", 10.1, 10, "ms"), False),
                          (targets.row_at_least("a", 1.7, 1.7, "×"), True),
                          (targets.row_at_least("a", 1.69, 1.7, "×"), False)):
            self.assertIs(made["met"], met)

    def test_an_idle_core_is_said(self):
        for busy, said in ((0.95, False), (0.94, True)):
            judged, = targets.under_load({"single": single(1.3, busy)})
            self.assertEqual(said, "94 % busy" in judged["name"])
            self.assertFalse(judged["met"])

    def test_what_was_not_measured_is_neither(self):
        threads = targets.of_threads({"threads": {"not_measured": "2 cores, 4 are needed"}})
        evaluation = targets.of_evaluation({"evaluation": None})
        for judged in (*threads, *evaluation):
            self.assertIsNone(judged["met"])
        text = report.target_table([*threads, *evaluation])
        self.assertIn("| not measured | ≥ 1.7 × | 2 cores, 4 are needed |", text)
        self.assertIn("| not measured | ≤ 150 ns | evaluation_bench was not built |", text)

    def test_both_dialects_evaluations(self):
        judged = targets.of_evaluation({"evaluation": {"evaluate_one": 151, "launchdarkly_evaluate_one": 400}})
        self.assertEqual([row["met"] for row in judged], [False, True])

    def test_evalx_is_judged_by_ld_relay(self):
        for flags, cpu_us, met in ((10, 32, True), (10, 32.1, False), (1000, 577, True), (1000, 577.1, False)):
            first, *_ = targets.of_launchdarkly(launchdarkly([evalx(flags, cpu_us)]))
            self.assertIn("ld-relay 8.10", first["name"])
            self.assertIs(first["met"], met)
        ofrep = targets.of_launchdarkly(launchdarkly([evalx(10, 99, asked="OFREP, all flags")]))
        self.assertEqual(len(ofrep), len(targets.of_launchdarkly(launchdarkly())))

    def test_bodies_and_patches(self):
        for bodies, p99_ms, met in ((4, 10, [True, True]), (4.1, 10.1, [False, False])):
            judged = targets.of_launchdarkly(launchdarkly(bodies=bodies, patch_p99_ms=p99_ms))
            self.assertEqual([row["met"] for row in judged], met)

    def test_the_table_says_what_was_missed(self):
        text = report.target_table([targets.row("a", 1, 2, "ms"), targets.row("b", 3, 2, "ms")])
        self.assertIn("| a | 1.00 ms | ≤ 2 ms | met |", text)
        self.assertIn("| b | 3.00 ms | ≤ 2 ms | **missed** |", text)

    def test_a_refused_size_is_a_row_of_its_own(self):
        row = {"flags": 100_000, "limit": "16MiB", "asked": "skewed", "refused": "does not fit"}
        self.assertIn("| 100,000 | 16MiB | skewed | does not fit |", report.growth_table({"rows": [row]}))


if __name__ == "__main__":
    unittest.main()
