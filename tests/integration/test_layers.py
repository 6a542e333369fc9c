"""Layers, pins and quarantine over the running daemon."""

import json

from daemon_test_case import DaemonTestCase, main
from behaviours import document
from flag_documents import encoded, flag, flags


class Layers(DaemonTestCase):
    def test_later_sources_win_and_uncover_when_they_let_go(self):
        self.write("base.json", encoded(flags({"a": "base", "b": "base"})))
        self.write("over.json", encoded(flags({"b": "over", "c": "over"})))
        daemon = self.start("file:base.json", "file:over.json")
        self.assertEqual(daemon.ofrep().bulk_values(), {"a": "base", "b": "over", "c": "over"})
        self.write("over.json", encoded(flags({"c": "over"})))
        daemon.await_value("base", key="b")
        self.write("base.json", encoded(flags({"c": "base"})))
        self.eventually(lambda: daemon.ofrep().bulk_values() == {"c": "over"}, "only c, of over")
        self.write("over.json", encoded(flags({})))
        daemon.await_value("base", key="c")

    def test_a_file_over_a_network_source(self):
        fake = self.upstream(document(encoded(flags({"a": "vendor", "b": "vendor"})), '"1"'))
        self.write("local.json", encoded(flags({"b": "local"})))
        daemon = self.start(fake.uri(), "file:local.json")
        self.assertEqual(daemon.ofrep().bulk_values(), {"a": "vendor", "b": "local"})
        fake.die()
        daemon.await_failure("connect")
        self.write("local.json", encoded(flags({"a": "local"})))
        self.eventually(lambda: daemon.ofrep().bulk_values() == {"a": "local", "b": "vendor"},
                        "the local file while the vendor is down")

    def test_evaluators_come_from_the_winning_source(self):
        base = flags({"a": "no"})
        base["flags"]["a"]["variants"]["yes"] = "yes"
        base["flags"]["a"]["targeting"] = {"if": [{"$ref": "chosen"}, "yes", "on"]}
        base["$evaluators"] = {"chosen": {"==": [{"var": "team"}, "blue"]}}
        self.write("base.json", encoded(base))
        self.write("over.json", encoded({"flags": {}}))
        daemon = self.start("file:base.json", "file:over.json")
        self.assertEqual(daemon.ofrep().value("a", {"team": "blue"}), "yes")
        self.write("over.json", encoded(
            {"flags": {}, "$evaluators": {"chosen": {"==": [{"var": "team"}, "red"]}}}))
        self.eventually(lambda: daemon.ofrep().value("a", {"team": "red"}) == "yes", "red")
        self.assertEqual(daemon.ofrep().value("a", {"team": "blue"}), "no")


class Pins(DaemonTestCase):
    def start_pinned(self, pins):
        self.write("flags.json", encoded(flags({"a": "vendor", "b": 1})))
        self.write("pins.json", json.dumps(pins))
        return self.start("file:flags.json", options=("--pins", "pins.json"))

    def test_a_pin_answers_in_the_flag_s_place(self):
        daemon = self.start_pinned({"a": "pinned by hand"})
        answer = daemon.ofrep().evaluate("a").json
        self.assertEqual((answer["value"], answer["reason"], answer["variant"]),
                         ("pinned by hand", "STATIC", "pinned"))
        self.assertIs(answer["metadata"]["flagstone.pinned"], True)
        self.assertEqual(daemon.environment()["pinned"], ["a"])
        self.assertEqual(daemon.ofrep().bulk_values(), {"a": "pinned by hand", "b": 1})

    def test_editing_the_pins(self):
        daemon = self.start_pinned({})
        self.assertEqual(daemon.ofrep().value("a"), "vendor")
        self.write("pins.json", '{"a": false, "b": {"deep": [1, 2.50]}}')
        daemon.await_value(False, key="a")
        self.assertEqual(daemon.ofrep().value("b"), {"deep": [1, 2.5]})
        self.assertIn(b"2.50", daemon.ofrep().evaluate("b").body)
        self.write("pins.json", "{}")
        daemon.await_value("vendor", key="a")
        self.assertNotIn("flagstone.pinned", daemon.ofrep().evaluate("a").metadata)

    def test_a_broken_pins_file_keeps_the_old_pins(self):
        daemon = self.start_pinned({"a": "pinned"})
        before = len(daemon.log)
        self.write("pins.json", '{"a": ')
        daemon.await_log(r"(warn|error).*pins", since=before)
        self.assertEqual(daemon.ofrep().value("a"), "pinned")

    def test_a_pin_while_the_vendor_is_down_and_never_in_the_state(self):
        fake = self.upstream(document(encoded(flags({"a": "vendor"})), '"1"'))
        daemon = self.start(fake.uri(), options=("--pins", "pins.json"))
        self.await_state_written(daemon)
        fake.die()
        daemon.await_failure("connect")
        self.write("pins.json", json.dumps({"a": "pinned"}))
        daemon.await_value("pinned", key="a")
        daemon.kill()
        daemon = self.start(fake.uri())
        self.assertEqual(daemon.ofrep().value("a"), "vendor")

    def test_a_pin_of_a_flag_that_does_not_exist(self):
        daemon = self.start_pinned({"new": True})
        self.assertIs(daemon.ofrep().value("new"), True)


class Quarantine(DaemonTestCase):
    def good_and(self, **bad):
        whole = flags({f"good-{number}": number for number in range(5)})
        whole["flags"].update(bad)
        return encoded(whole)

    def test_a_bad_flag_harms_only_itself(self):
        self.write("flags.json", self.good_and(bad=flag("x") | {"defaultVariant": "nobody"}))
        daemon = self.start("file:flags.json")
        self.assertEqual(daemon.ofrep().value("good-3"), 3)
        answer = daemon.ofrep().evaluate("bad")
        self.assertEqual((answer.status, answer.error_code), (400, "PARSE_ERROR"))
        quarantined = daemon.environment()["quarantined"]
        self.assertEqual([(item["kind"], item["key"]) for item in quarantined], [("flag", "bad")])
        self.assertIn("nobody", quarantined[0]["error"])
        self.assertEqual(daemon.metric("flagstone_quarantined_records", environment="default"), 1)

    def test_its_last_good_form_keeps_answering(self):
        self.write("flags.json", self.good_and(turning=flag("was good")))
        daemon = self.start("file:flags.json")
        bad_forms = [{"state": 5, "variants": {"on": 1}}, {"state": "ENABLED", "variants": [1]},
                     flag("x") | {"defaultVariant": 7}, "not even an object"]
        for number, form in enumerate(bad_forms):
            with self.subTest(form=form):
                self.write("flags.json", self.good_and(turning=form, **{f"mark-{number}": flag(1)}))
                daemon.await_value(1, key=f"mark-{number}")
                self.assertEqual(daemon.ofrep().value("turning"), "was good")
                self.assertEqual(len(daemon.environment()["quarantined"]), 1)
        self.write("flags.json", self.good_and(turning=flag("healed")))
        daemon.await_value("healed", key="turning")
        self.assertEqual(daemon.environment()["quarantined"], [])

    def test_the_last_good_form_survives_a_restart(self):
        fake = self.upstream(document(self.good_and(turning=flag("was good")), '"1"'))
        daemon = self.start(fake.uri())
        fake.serve(document(self.good_and(turning={"variants": 7}, mark=flag(1)), '"2"'))
        daemon.await_value(1, key="mark")
        self.assertEqual(daemon.stop(), 0)
        fake.die()
        daemon = self.start(fake.uri())
        self.assertEqual(daemon.ofrep().value("mark"), 1)
        self.assertEqual(daemon.ofrep().value("turning"), "was good")
        self.assertEqual(len(daemon.environment()["quarantined"]), 1)

    def test_mostly_bad_is_refused(self):
        self.write("flags.json", self.good_and())
        daemon = self.start("file:flags.json")
        bad = {f"bad-{number}": {"state": 1} for number in range(6)}
        self.write("flags.json", self.good_and(**bad))
        daemon.await_metric("flagstone_updates_total", result="refused")
        self.assertEqual(daemon.ofrep().evaluate("bad-1").error_code, "FLAG_NOT_FOUND")
        self.assertEqual(daemon.ofrep().value("good-1"), 1)

    def test_an_evaluation_error_is_no_quarantine(self):
        broken = flag("x") | {"targeting": {"no_such_operator": [1]}}
        unknown = flag("x") | {"targeting": {"if": [True, "nobody"]}}
        cycle = flag("x") | {"targeting": {"$ref": "a"}}
        whole = json.loads(self.good_and(broken=broken, unknown=unknown, cycle=cycle))
        whole["$evaluators"] = {"a": {"$ref": "b"}, "b": {"!": {"$ref": "a"}}}
        self.write("flags.json", encoded(whole))
        daemon = self.start("file:flags.json")
        for key, code in (("broken", "PARSE_ERROR"), ("unknown", "GENERAL"),
                          ("cycle", "PARSE_ERROR")):
            with self.subTest(key):
                answer = daemon.ofrep().evaluate(key)
                self.assertEqual((answer.status, answer.error_code), (400, code), answer)
        self.assertEqual(daemon.environment()["quarantined"], [])
        self.assertEqual(daemon.ofrep().value("good-0"), 0)

    def test_a_record_of_more_than_a_mebibyte(self):
        self.write("flags.json", self.good_and(big=flag("x" * (1 << 20))))
        daemon = self.start("file:flags.json")
        self.assertEqual(daemon.ofrep().value("good-1"), 1)
        self.assertEqual(daemon.metric("flagstone_quarantined_records"), 1)


if __name__ == "__main__":
    main()
