"""The stand-in for LaunchDarkly is worth something only if its real SDKs take it for the real one:
here they talk to it directly, without a daemon between."""

from launchdarkly_app_case import EachLanguage, LaunchDarklyAppCase, main, often_told
from launchdarkly_flags import answering

PATHS = {"streaming": "/all", "polling": "/sdk/latest-all", "fdv1-polling": "/sdk/latest-all",
         "fdv2": "/sdk/stream", "fdv2-polling": "/sdk/poll", "fdv2-default": "/sdk/stream"}


class StandIn(EachLanguage, LaunchDarklyAppCase):
    def check(self, language):
        for mode in often_told(language):
            with self.subTest(mode=mode):
                service = self.service()
                app = self.app(language, service.uri(), mode=mode)
                self.check_evaluations(app)
                service.await_requests_to(PATHS[mode])
                service.set_flag(answering("v2", version=2))
                app.await_change("answer")
                app.await_value("answer", "v2")
                self.assertEqual(app.value("answer"), "v2")
                service.delete_flag("answer")
                app.await_value("answer", None)
                self.assertEqual(app.value("answer", fallback="gone"), "gone")
                app.do("flush")
                service.await_evaluations({"answer": 4, "by-plan": 2})
                app.close()

    def test_a_wrong_key_is_refused(self):
        service = self.service()
        app = self.app("python", service.uri(), key="sdk-other", wait=False, start_wait=1)
        self.assertFalse(app.started())

    def test_fall_back(self):
        service = self.service()
        service.fall_back()
        app = self.app("python", service.uri(), mode="fdv2-default")
        service.await_requests_to("/sdk/latest-all")
        self.assertEqual(app.value("answer"), "v1")

    def test_death_and_revival_and_a_delta(self):
        service = self.service()
        app = self.app("python", service.uri(), mode="fdv2")
        service.die()
        service.set_flag(answering("v2", version=2))
        service.revive()
        app.await_change("answer")
        self.assertEqual(app.value("answer"), "v2")
        self.assertIn("basis=", service.await_requests_to("/sdk/stream", 2)[-1].target)

    def test_pieces_of_one_byte(self):
        service = self.service(payload="bytes")
        service.piece = 1
        self.check_evaluations(self.app("go", service.uri()))


if __name__ == "__main__":
    main()
