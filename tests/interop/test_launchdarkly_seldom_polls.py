"""LaunchDarkly's unmodified server SDKs where they poll every 30 s: what each has after its next poll.
All of them are started at once, so that the interval is waited for once and not for each."""

from launchdarkly_app_case import (ENDED_BY_A_REFUSED_CONNECTION, POLLS_SELDOM, SECOND_KEY,
                                   LaunchDarklyAppCase, main)
from launchdarkly_flags import answering
from launchdarkly_test_case import SDK_KEY, uri_of

INTERVAL_SECONDS = 30
SECONDS_MAX = 3 * INTERVAL_SECONDS  # until the next poll was
# Some could poll more often, but only between two polls can they live through a restart.
WAYS = sorted(POLLS_SELDOM | ENDED_BY_A_REFUSED_CONNECTION)


class Scene:
    """A daemon on a service of its own, and an app of each kind, none of which is waited for yet."""

    def __init__(self, case, **environment):
        self.service = case.service(keys=(SDK_KEY, SECOND_KEY))
        self.daemon = case.flagstone(self.service, **environment)
        self.apps = [case.app(language, uri_of(self.daemon), mode=mode, wait=False,
                              poll_interval=INTERVAL_SECONDS) for language, mode in WAYS]


class SeldomPolls(LaunchDarklyAppCase):
    def await_first_data(self, scene):
        for app in scene.apps:
            self.assertTrue(app.started(), f"{app.language} {app.mode} had no data in time")
            self.assertEqual(app.value("answer"), "v1")

    def test_what_the_next_poll_brings(self):
        dead, live, rotated = Scene(self), Scene(self), Scene(self, key_file="rotated-key")
        self.await_first_data(dead)
        self.restart_without_upstream(dead)
        self.await_first_data(live)
        live.service.set_flag(answering("v2", version=2))
        self.await_first_data(rotated)
        self.change_key(rotated.service, "rotated-key")
        rotated.service.set_flag(answering("v2", version=2))
        for app in (app for scene in (dead, live, rotated) for app in scene.apps):
            with self.subTest(language=app.language, mode=app.mode):
                app.await_value("answer", "v2", SECONDS_MAX)
        self.assertEqual(live.service.streams, 1, "one stream upstream for them all")
        self.assertEqual(dead.service.streams, 0)

    def restart_without_upstream(self, scene):
        """What changed before is in the state alone when the next polls come."""
        self.await_state_written(scene.daemon)
        scene.service.set_flag(answering("v2", version=2))
        scene.daemon.await_value("v2")
        self.await_state_written(scene.daemon, 2)
        scene.service.die()
        address = scene.daemon.tcp_address
        scene.daemon.kill()
        for app in scene.apps:
            self.assertEqual(app.value("answer"), "v1", "polled already: this shows nothing")
        self.flagstone(scene.service, listen=address)


if __name__ == "__main__":
    main()
