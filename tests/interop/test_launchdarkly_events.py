"""What LaunchDarkly's SDKs post arrives upstream, once each and with the right sums, in fewer
requests; through an outage and a kill too."""

from launchdarkly_app_case import MODES, LaunchDarklyAppCase, main
from launchdarkly_events import evaluations, events_of
from launchdarkly_flags import answering
from launchdarkly_test_case import FLAGS, SDK_KEY, uri_of

LANGUAGES = ("python", "node", "go")
OFTEN = {"flush_interval": "1s"}
COUNT = 100


class Events(LaunchDarklyAppCase):
    def work(self, app, who, rounds=3):
        """Some of every kind of event, flushed several times."""
        context = {"kind": "user", "key": who, "plan": "paid"}
        for number in range(rounds):
            app.do("repeat", key="answer", context=context, count=COUNT)
            app.do("repeat", key="by-plan", context=context, count=COUNT)
            app.do("variation", key="missing", context=context, fallback="-")
            app.do("track", key="bought", context=context, data={"n": number}, metric=number + 0.5)
            app.do("identify", context=context)
            app.do("flush")

    def check_sums(self, service, apps, rounds=3, timeout=30):
        expected = {"answer": COUNT * rounds * apps, "by-plan": COUNT * rounds * apps,
                    "missing": rounds * apps}
        service.await_evaluations(expected, timeout)
        service.await_posted(lambda b: len(events_of(b, "custom")) >= rounds * apps, "custom events")
        batches = service.posted()
        self.assertEqual(evaluations(batches), expected)
        self.assertEqual(service.summary_counts(), {
            ("answer", 0, 1): expected["answer"], ("by-plan", 1, 1): expected["by-plan"],
            ("missing", None, None): expected["missing"]})
        custom = events_of(batches, "custom")
        self.assertEqual(sum(event["metricValue"] for event in custom),
                         apps * sum(number + 0.5 for number in range(rounds)))
        self.assertEqual(len(events_of(batches, "identify")), rounds * apps)
        return batches

    def test_sums_of_all_sdks(self):
        service = self.service()
        uri = uri_of(self.flagstone(service, events=OFTEN))
        apps = self.apps([(language, mode) for language in LANGUAGES for mode in MODES[language]], uri)
        for app in apps:
            self.work(app, f"user-of-{app.language}-{app.mode}")
        batches = self.check_sums(service, len(apps))
        for batch in batches:
            self.assertEqual(batch.key, SDK_KEY)
            self.assertEqual(batch.schema, "4")
            self.assertTrue(batch.payload_id)
        self.assertEqual(len({batch.payload_id for batch in batches}), len(batches))
        self.assertLess(len(batches), 3 * len(apps), "fewer requests than the apps made")
        service.set_flag(answering("v2", version=2))
        apps[0].await_value("answer", "v2")

    def test_a_trackable_flag(self):
        service = self.service(*FLAGS, answering("seen", key="tracked", trackEvents=True))
        uri = uri_of(self.flagstone(service, events=OFTEN))
        apps = [self.app(language, uri, wait=False) for language in LANGUAGES]
        for app in apps:
            self.assertTrue(app.started())
            app.do("repeat", key="tracked", count=10)
            app.do("flush")
        service.await_posted(lambda b: len(events_of(b, "feature")) >= 30, "30 feature events")
        batches = service.posted()
        self.assertEqual(len(events_of(batches, "feature")), 30)
        self.assertEqual(evaluations(batches), {"tracked": 30})

    def test_an_outage_and_a_kill_lose_and_double_nothing(self):
        service, daemon = self.service_and_daemon(events=OFTEN)
        address, uri = daemon.tcp_address, uri_of(daemon)
        apps = [self.app(language, uri, wait=False) for language in LANGUAGES]
        for app in apps:
            self.assertTrue(app.started())
        service.die()
        for app in apps:
            self.work(app, "user-of-" + app.language)
            app.close()  # It ends when its last post was answered.
        daemon.kill()
        self.flagstone(service, listen=address, events=OFTEN)
        service.revive()
        self.check_sums(service, len(apps), timeout=60)


if __name__ == "__main__":
    main()
