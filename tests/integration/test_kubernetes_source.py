"""A FeatureFlag resource as a source, against a scripted API server over TLS."""

import os
import unittest

from daemon_test_case import DaemonTestCase, main, require_root
import certificates
from flag_documents import EMPTY, answering
from flagstone_process import run
from kubernetes_api_server import KubernetesApi

K8S = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "k8s")
URI = "core.openfeature.dev/shop/flags"


def is_watch(request):
    return "&watch=1" in request.target


@unittest.skipUnless(certificates.available(), "needs the openssl command line")
class KubernetesSource(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.api = KubernetesApi()
        self.api.apply(answering("one"))
        self.ca_file, context = certificates.make(self.folder, "cluster")
        self.server = self.upstream(self.api, tls_context=context)
        self.token_file = self.write("token", "token-1\n")

    def pod_environment(self):
        return {"KUBERNETES_SERVICE_HOST": "127.0.0.1",
                "KUBERNETES_SERVICE_PORT": str(self.server.port)}

    def start_pod(self, wait="ready", **source):
        return self.start_with(self.one_source(URI, **{
            "ca_file": self.ca_file, "credential_file": self.token_file, **source}),
            wait=wait, environment=self.pod_environment())

    def await_watch(self, since=0):
        """The version from which the first watch after so many begins."""
        self.eventually(lambda: len(self.api.watches) > since, "a watch")
        return self.api.watches[since]

    def test_follows_the_resource(self):
        daemon = self.start_pod()
        self.assertEqual(daemon.ofrep().value(), "one")
        self.await_watch()
        self.api.apply(answering("two"))
        daemon.await_value("two")
        self.assertFalse(daemon.ofrep().evaluate("answer").stale)
        self.assertEqual([is_watch(request) for request in self.server.requests], [False, True])
        self.assertEqual(daemon.failures(), 0)
        self.assertEqual(daemon.source()["uri"], URI)

    def test_deleted_keeps_the_flags_and_says_so(self):
        daemon = self.start_pod()
        self.api.delete()
        daemon.await_failure("not_found")
        daemon.await_log(f"{URI}: somebody deleted featureflags `flags` in namespace `shop`")
        self.assertEqual(daemon.ofrep().value(), "one")
        self.assertEqual(daemon.admin.get("/readyz").status, 200)
        self.api.apply(answering("one"))
        daemon.await_log("is good again")
        self.api.apply(answering("two"))
        daemon.await_value("two")

    def test_a_resource_that_is_made_later(self):
        self.api.delete()
        daemon = self.start_pod(wait="bound")
        daemon.await_failure("not_found")
        self.assertEqual(daemon.admin.get("/readyz").status, 503)
        self.api.apply(answering("late"))
        daemon.await_value("late")

    def test_the_next_watch_begins_at_the_bookmark(self):
        daemon = self.start_pod()
        self.await_watch()
        version = self.api.bookmark()
        daemon.await_metric("flagstone_updates_total", result="unchanged")
        self.api.end_watches()
        self.assertEqual(self.await_watch(1), version)
        self.api.apply(answering("two"))
        daemon.await_value("two")
        self.assertEqual(daemon.failures(), 0, "a watch that ends is no failure")

    def test_too_old_a_version_is_listed_again(self):
        daemon = self.start_pod()
        self.await_watch()
        self.api.forget_history()
        mark = self.server.mark()
        self.api.end_watches()
        self.eventually(lambda: len(self.server.requests) >= mark + 3, "watch, list, watch")
        self.assertEqual([is_watch(request) for request in self.server.requests[mark:mark + 3]],
                         [True, False, True])
        self.assertEqual(self.api.too_old, 1)
        self.api.apply(answering("two"))
        daemon.await_value("two")
        self.assertEqual(daemon.failures(), 0)

    def test_a_cut_inside_an_event(self):
        daemon = self.start_pod()
        self.await_watch()
        self.api.end_watches(last_words=b'{"type":"MODIFIED","object":{"metada')
        daemon.await_failure("truncated")
        self.await_watch(1)
        self.assertEqual(daemon.ofrep().value(), "one")
        self.api.apply(answering("two"))
        daemon.await_value("two")

    def test_a_giant_event_is_refused(self):
        daemon = self.start_pod(max_document_bytes="64KiB")
        self.await_watch()
        self.api.apply(answering("giant", padding=1000))
        daemon.await_failure("too_large")
        self.assertEqual(daemon.ofrep().value(), "one")
        self.api.apply(answering("small"))
        daemon.await_value("small")

    def test_a_rotated_token(self):
        daemon = self.start_pod()
        self.await_watch()
        self.api.take_tokens("token-2")
        self.api.end_watches()
        daemon.await_failure("unauthorized")
        self.assertEqual(daemon.ofrep().value(), "one")
        mark = self.server.mark()
        self.write("token", "token-2\n")
        self.eventually(lambda: any(request.header("Authorization") == "Bearer token-2"
                                    for request in self.server.requests[mark:]),
                        "the new token", timeout=10)
        self.api.apply(answering("two"))
        daemon.await_value("two")
        self.assertNotIn("token-1", "\n".join(daemon.log))
        self.assertNotRegex("\n".join(daemon.log), "credential file of .* (changed|holds a key now)")

    def test_every_refusal_keeps_the_flags(self):
        daemon = self.start_pod()
        self.await_watch()
        forbidden = ('featureflags.core.openfeature.dev is forbidden: User '
                     '"system:serviceaccount:shop:app" cannot list resource "featureflags"')
        for code, message, kind, words in (
                (403, forbidden, "unauthorized",
                 r"system:serviceaccount:shop:app.*k8s/rbac has the Role it needs"),
                (404, "page not found", "not_found", "CustomResourceDefinition installed"),
                (429, "slow down", "rate_limited", "status 429"),
                (500, "etcd is ill", "server_error", "etcd is ill")):
            with self.subTest(code):
                before = daemon.failures(kind)
                self.api.refuse(code, message)
                self.api.end_watches()
                daemon.await_failure(kind, at_least=before + 1)
                daemon.await_log(words)
                self.assertEqual(daemon.ofrep().value(), "one")
                watches = len(self.api.watches)
                self.api.allow()
                self.await_watch(watches)
        self.api.apply(answering("two"))
        daemon.await_value("two")

    def test_restarts_serve_the_state_and_take_up_what_changed(self):
        daemon = self.start_pod()
        self.await_state_written(daemon)
        daemon.stop()
        self.server.die()
        daemon = self.start_pod()
        answer = daemon.ofrep().evaluate("answer")
        self.assertEqual(answer.value, "one")
        self.assertTrue(answer.stale)
        daemon.await_failure("connect")
        self.api.apply(answering("two"))
        self.server.revive()
        daemon.await_value("two")
        self.await_state_written(daemon)
        daemon.stop()
        daemon = self.start_pod()
        daemon.await_metric("flagstone_updates_total", result="unchanged")
        self.assertEqual(daemon.ofrep().value(), "two")
        self.assertFalse(daemon.ofrep().evaluate("answer").stale)

    def test_another_clusters_certificate_is_not_trusted(self):
        _, self.server._tls_context = certificates.make(self.folder, "stranger")
        daemon = self.start_pod(wait="bound")
        daemon.await_failure("tls")
        self.assertEqual(self.server.requests, [], "no token before the handshake")

    def test_the_shrink_guard(self):
        self.api.apply(answering("full", padding=29))
        daemon = self.start_pod()
        self.await_watch()
        self.api.apply(EMPTY)
        daemon.await_metric("flagstone_updates_total", result="held")
        self.assertEqual(daemon.ofrep().value(), "full")
        code, out, error = run("accept", "default", "--admin", daemon.admin_address)
        self.assertEqual(code, 0, out + error)
        self.eventually(lambda: daemon.ofrep().evaluate("answer").status == 404, "the empty set")

    def test_outside_of_a_cluster_it_does_not_start(self):
        code, _, error = run("start", "--uri", URI, "--listen", "127.0.0.1:0", "--admin",
                             "127.0.0.1:0", "--state-dir", self.path("state"))
        self.assertNotEqual(code, 0)
        self.assertIn("KUBERNETES_SERVICE_HOST", error)

    @require_root
    def test_in_a_pod_it_needs_nothing_but_its_uri(self):
        """The service account where the kubelet mounts it, seen by this daemon alone."""
        self.write("account/token", "token-1")
        self.write("account/namespace", "shop")
        with open(self.ca_file, encoding="ascii") as ca:
            self.write("account/ca.crt", ca.read())
        in_pod = ("unshare", "--mount", "sh", "-ec",
                  "mount -t tmpfs none /run; mkdir -p /run/secrets/kubernetes.io; "
                  'ln -s "$0" /run/secrets/kubernetes.io/serviceaccount; exec "$@"',
                  self.path("account"))
        for uri in (URI, "core.openfeature.dev/flags"):
            with self.subTest(uri):
                daemon = self.start(uri, environment=self.pod_environment(), wrapper=in_pod,
                                    state=uri.replace("/", "-"))
                self.assertEqual(daemon.ofrep().value(), "one")


class Manifests(DaemonTestCase):
    """The configurations in k8s/ are ones that this binary takes."""

    def test_every_configuration(self):
        bootstrap = self.write("bootstrap.json", answering("bootstrap"))
        for folder in ("example", "featureflag", "hub", "hub/pod"):
            with self.subTest(folder):
                with open(os.path.join(K8S, folder, "flagstone.yaml"), encoding="utf-8") as text:
                    here = text.read().replace("/etc/flagstone/bootstrap.json", bootstrap)
                path = self.write("flagstone.yaml", here)
                self.assertEqual(run("check", "--config", path)[0], 0, run("check", "--config", path))


if __name__ == "__main__":
    main()
