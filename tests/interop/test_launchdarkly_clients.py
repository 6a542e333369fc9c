"""LaunchDarkly's unmodified server SDKs behind a daemon: initial data, live changes, a restart while
the vendor is down, and a key that changes."""

from launchdarkly_app_case import (ENDED_BY_A_REFUSED_CONNECTION, MODES, POLLS_SELDOM, SECOND_KEY,
                                   EachLanguage, LaunchDarklyAppCase, main, often_told)
from launchdarkly_flags import answering
from launchdarkly_test_case import FLAGS, SDK_KEY, uri_of


def all_ways(language):
    return [(language, mode) for mode in MODES[language]]


class Clients(EachLanguage, LaunchDarklyAppCase):
    def listening(self, apps):
        """Those that hear of a change soon."""
        return [app for app in apps if (app.language, app.mode) not in POLLS_SELDOM]

    def check(self, language):
        service = self.service()
        uri = uri_of(self.flagstone(service))
        apps = self.apps(all_ways(language), uri)
        for app in apps:
            self.check_evaluations(app)
        service.set_flag(answering("v2", version=2))
        for app in self.listening(apps):
            app.await_value("answer", "v2")
        service.delete_flag("answer")
        for app in self.listening(apps):
            app.await_value("answer", None)
        self.assertEqual(service.streams, 1, "one stream upstream for them all")
        self.assertEqual(len(service.requests_to("/all")), 0)

    def test_upstream_of_the_first_protocol(self):
        service = self.service(fdv2=False)
        uri = uri_of(self.flagstone(service))
        apps = [app for language in MODES for app in self.apps(
            [(language, mode) for mode in often_told(language)], uri)]
        service.set_flag(answering("v2", version=2))
        for app in apps:
            app.await_value("answer", "v2")
        self.assertEqual(len(service.requests_to("/all")), 1)

    def check_restart(self, language):
        service, daemon = self.service_and_daemon()
        address, uri = daemon.tcp_address, uri_of(daemon)
        apps = self.apps([(language, mode) for mode in often_told(language)], uri)
        self.await_state_written(daemon)
        service.set_flag(answering("v2", version=2))
        for app in apps:
            app.await_value("answer", "v2")
        self.await_state_written(daemon, 2)
        service.die()
        daemon.kill()
        restarted = self.flagstone(service, listen=address)
        for app in apps:
            self.assertEqual(app.value("answer"), "v2")
        for app in self.apps(all_ways(language), uri):
            self.assertEqual(app.value("answer"), "v2", "an app that starts meanwhile has flags")
        service.revive()
        service.set_flag(answering("v3", version=3))
        for app in apps:
            if (language, app.mode) not in ENDED_BY_A_REFUSED_CONNECTION:
                # An SDK of FDv2 that polled meanwhile does so every 30 s, and streams again later.
                app.await_value("answer", "v3", timeout=90)
        self.assertTrue(restarted.alive)

    def test_python_through_a_restart_without_upstream(self):
        self.check_restart("python")

    def test_node_through_a_restart_without_upstream(self):
        self.check_restart("node")

    def test_go_through_a_restart_without_upstream(self):
        self.check_restart("go")

    def check_a_changed_key(self, language):
        service = self.service(keys=(SDK_KEY, SECOND_KEY))
        uri = uri_of(self.flagstone(service))
        old = self.apps(all_ways(language), uri)
        self.change_key(service)
        new = self.apps(all_ways(language), uri, key=SECOND_KEY)
        later = self.apps([(language, "streaming"), (language, "fdv2")], uri)
        service.set_flag(answering("v2", version=2))
        for app in self.listening([*old, *new, *later]):
            app.await_value("answer", "v2")
        foreign = self.app(language, uri, key="sdk-key-three", wait=False, start_wait=1)
        self.assertFalse(foreign.started(), "a key of nobody's")

    def test_python_while_the_key_changes(self):
        self.check_a_changed_key("python")

    def test_node_while_the_key_changes(self):
        self.check_a_changed_key("node")

    def test_go_while_the_key_changes(self):
        self.check_a_changed_key("go")

    def test_a_key_that_is_refused_upstream_is_no_affair_of_the_apps(self):
        service, daemon = self.service_and_daemon()
        uri = uri_of(daemon)
        app = self.app("node", uri)
        service.accept_keys()
        service.end_streams()
        daemon.await_failure("unauthorized")
        fresh = self.app("go", uri)
        for each in (app, fresh):
            self.assertEqual(each.value("answer"), "v1")
            self.assertEqual(len(each.do("values")), len(FLAGS))


if __name__ == "__main__":
    main()
