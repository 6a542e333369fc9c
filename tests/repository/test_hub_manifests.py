"""The hub, the FeatureFlag source and the Role in k8s/ are what Kubernetes accepts, and fit together."""

import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import python_tools
from test_manifests import K8S, MIB, documents, flagstone_container, pod_spec, size_bytes, validate

OVERLAYS = ("rbac", "featureflag", "launchdarkly", "hub", "hub-per-node", "hub/pod")
# Of somebody else's: no schema of Kubernetes' own.
CUSTOM_KINDS = {"FeatureFlag"}


def rendered(test, folder):
    """{kind: document} of an overlay. Skips the calling test when there is no kubectl."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        test.skipTest("no kubectl here")
    done = subprocess.run([kubectl, "kustomize", K8S / folder], capture_output=True, text=True,
                          check=False)
    test.assertEqual(0, done.returncode, done.stderr)
    return {each["kind"]: each for each in python_tools.yaml().safe_load_all(done.stdout)}


def configuration(folder):
    return documents(K8S / folder / "flagstone.yaml")[0]


def source_uri(folder):
    return configuration(folder)["environments"]["default"]["sources"][0]["uri"]


class EveryOverlay(unittest.TestCase):
    def test_kubernetes_accepts_what_is_rendered(self):
        for name in OVERLAYS:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                for kind, document in rendered(self, name).items():
                    if kind not in CUSTOM_KINDS:
                        path = pathlib.Path(folder) / f"{kind}.yaml"
                        path.write_text(json.dumps(document), encoding="utf-8")
                self.assertEqual([], validate(*pathlib.Path(folder).iterdir()))

    def test_kubernetes_accepts_what_is_written(self):
        for path in ("rbac/rbac.yaml", "hub/deployment.yaml", "hub/service.yaml",
                     "hub/network-policy.yaml", "hub/disruption-budget.yaml"):
            with self.subTest(path):
                self.assertEqual([], validate(K8S / path))

    def test_bootstrap_documents_are_the_same(self):
        for folder in ("featureflag", "hub/pod"):
            self.assertEqual((K8S / "example" / "bootstrap.json").read_bytes(),
                             (K8S / folder / "bootstrap.json").read_bytes())


class Rbac(unittest.TestCase):
    def test_reading_feature_flags_is_all_that_is_allowed(self):
        account, role, binding = documents(K8S / "rbac" / "rbac.yaml")
        self.assertEqual([{"apiGroups": ["core.openfeature.dev"], "resources": ["featureflags"],
                           "verbs": ["get", "list", "watch"]}], role["rules"])
        self.assertEqual("Role", role["kind"])
        self.assertIs(False, account["automountServiceAccountToken"])
        self.assertEqual(("Role", role["metadata"]["name"]),
                         (binding["roleRef"]["kind"], binding["roleRef"]["name"]))
        self.assertEqual([{"kind": "ServiceAccount", "name": account["metadata"]["name"]}],
                         binding["subjects"])


class FeatureFlagSource(unittest.TestCase):
    def test_the_pod_may_read_the_flag_it_names(self):
        by_kind = rendered(self, "featureflag")
        flag = by_kind["FeatureFlag"]["metadata"]
        self.assertEqual(f"core.openfeature.dev/{flag['namespace']}/{flag['name']}",
                         source_uri("featureflag"))
        for kind in ("Role", "RoleBinding", "ServiceAccount", "Deployment"):
            self.assertEqual(flag["namespace"], by_kind[kind]["metadata"]["namespace"], kind)
        self.assertEqual(flag["namespace"], by_kind["RoleBinding"]["subjects"][0]["namespace"])
        self.assertEqual(by_kind["ServiceAccount"]["metadata"]["name"],
                         pod_spec(by_kind["Deployment"])["serviceAccountName"])
        self.assertIn("core.openfeature.dev/",
                      by_kind["ConfigMap"]["data"]["flagstone.yaml"])

    def test_only_flagstone_sees_the_token(self):
        spec = pod_spec(rendered(self, "featureflag")["Deployment"])
        self.assertIs(False, spec["automountServiceAccountToken"])
        mounts = {m["name"]: m["mountPath"] for m in flagstone_container(spec)["volumeMounts"]}
        self.assertEqual("/var/run/secrets/kubernetes.io/serviceaccount", mounts["service-account"])
        others = [c for c in spec["containers"] + spec["initContainers"] if c["name"] != "flagstone"]
        self.assertEqual(2, len(others))
        for container in others:
            self.assertNotIn("service-account",
                             [m["name"] for m in container.get("volumeMounts", [])])
        volume, = [v for v in spec["volumes"] if v["name"] == "service-account"]
        files = {"token"}
        for source in volume["projected"]["sources"]:
            for kind in ("configMap", "downwardAPI"):
                files |= {item["path"] for item in source.get(kind, {}).get("items", [])}
        self.assertEqual({"token", "ca.crt", "namespace"}, files)


class LaunchDarklySource(unittest.TestCase):
    def setUp(self):
        by_kind = rendered(self, "launchdarkly")
        self.spec = pod_spec(by_kind["Deployment"])
        self.data = by_kind["ConfigMap"]["data"]
        self.config = configuration("launchdarkly")

    def test_the_key_is_the_secrets_for_both(self):
        source, = self.config["environments"]["default"]["sources"]
        volume, = [v for v in self.spec["volumes"] if v["name"] == "flagstone-credentials"]
        mounts = {m["name"]: m["mountPath"] for m in flagstone_container(self.spec)["volumeMounts"]}
        folder, name = source["credential_file"].rsplit("/", 1)
        self.assertEqual(mounts[volume["name"]], folder)
        self.assertIs(False, volume["secret"]["optional"])
        environment = {e["name"]: e for e in self.spec["containers"][0]["env"]}
        self.assertEqual({"name": volume["secret"]["secretName"], "key": name},
                         environment["LAUNCHDARKLY_SDK_KEY"]["valueFrom"]["secretKeyRef"])

    def test_the_app_asks_the_address_that_is_listened_on_and_by_no_proxy(self):
        environment = {e["name"]: e.get("value") for e in self.spec["containers"][0]["env"]}
        address = environment["LAUNCHDARKLY_RELAY"].removeprefix("http://")
        self.assertIn(address, self.config["listen"])
        for name in ("NO_PROXY", "no_proxy"):
            self.assertIn(address.split(":")[0], environment[name].split(","))

    def test_the_bootstrap_is_launchdarklys(self):
        document = json.loads(self.data["bootstrap.json"])
        self.assertEqual({"flags", "segments"}, set(document))
        for key, flag in document["flags"].items():
            self.assertEqual((key, 1), (flag["key"], flag["version"]))


class Hub(unittest.TestCase):
    def setUp(self):
        self.deployment, = documents(K8S / "hub" / "deployment.yaml")
        self.service, = documents(K8S / "hub" / "service.yaml")
        self.spec = pod_spec(self.deployment)
        self.container, = self.spec["containers"]
        self.config = configuration("hub")
        self.ports = {p["name"]: p["containerPort"] for p in self.container["ports"]}

    def test_ports_are_what_the_configuration_listens_on(self):
        self.assertEqual([f"tls:0.0.0.0:{self.ports['flags']}"], self.config["listen"])
        self.assertEqual(f"0.0.0.0:{self.ports['admin']}", self.config["admin"])
        for probe, path in (("startupProbe", "/healthz"), ("readinessProbe", "/readyz"),
                            ("livenessProbe", "/healthz")):
            self.assertEqual({"path": path, "port": "admin"}, self.container[probe]["httpGet"])
        port, = self.service["spec"]["ports"]
        self.assertEqual((self.ports["flags"], "flags"), (port["port"], port["targetPort"]))

    def test_files_of_the_configuration_are_mounted(self):
        mounts = {m["name"]: m["mountPath"] for m in self.container["volumeMounts"]}
        self.assertEqual(set(mounts), {volume["name"] for volume in self.spec["volumes"]})
        for key in ("certificate_file", "key_file"):
            self.assertEqual(mounts["tls"], str(pathlib.Path(self.config["tls"][key]).parent))
        self.assertEqual(mounts["state"], self.config["state"]["dir"])

    def test_selectors_find_the_pods(self):
        labels = self.deployment["spec"]["template"]["metadata"]["labels"]
        policy, = documents(K8S / "hub" / "network-policy.yaml")
        budget, = documents(K8S / "hub" / "disruption-budget.yaml")
        for selector in (self.service["spec"]["selector"],
                         self.deployment["spec"]["selector"]["matchLabels"],
                         policy["spec"]["podSelector"]["matchLabels"],
                         budget["spec"]["selector"]["matchLabels"]):
            self.assertEqual(labels, selector)
        for rule in policy["spec"]["ingress"]:
            self.assertTrue(rule["from"])
            self.assertIn(rule["ports"][0]["port"], self.ports)

    def test_limits_follow_from_the_configuration(self):
        memory_limit = size_bytes(self.config["cache"]["memory_limit"])
        subscribers = 1024 * 16 * 1024
        self.assertEqual(memory_limit * 5 // 4 + 16 * MIB + subscribers,
                         size_bytes(self.container["resources"]["limits"]["memory"]))
        state, = [volume for volume in self.spec["volumes"] if volume["name"] == "state"]
        self.assertEqual(size_bytes(self.config["state"]["limit"]) * 5 // 4,
                         size_bytes(state["emptyDir"]["sizeLimit"]))

    def test_it_is_as_confined_as_the_sidecar(self):
        _, sidecar = documents(K8S / "sidecar.yaml")
        self.assertEqual(flagstone_container(pod_spec(sidecar))["securityContext"],
                         self.container["securityContext"])

    def test_pods_ask_the_service(self):
        by_kind = rendered(self, "hub")
        service = by_kind["Service"]["metadata"]
        host = f"{service['name']}.{service['namespace']}.svc"
        self.assertEqual(f"grpcs://{host}:{self.ports['flags']}", source_uri("hub/pod"))
        self.assertIn(host, self.config["allowed_hosts"])
        self.assertTrue(source_uri("hub").startswith(
            f"core.openfeature.dev/{service['namespace']}/"))
        pod = rendered(self, "hub/pod")["ConfigMap"]["data"]
        ca_file = configuration("hub/pod")["environments"]["default"]["sources"][0]["ca_file"]
        self.assertIn(pathlib.Path(ca_file).name, pod)

    def test_per_node_it_is_a_daemon_set_that_answers_its_own_node(self):
        by_kind = rendered(self, "hub-per-node")
        self.assertNotIn("Deployment", by_kind)
        self.assertNotIn("PodDisruptionBudget", by_kind)
        self.assertEqual("Local", by_kind["Service"]["spec"]["internalTrafficPolicy"])
        container, = pod_spec(by_kind["DaemonSet"])["containers"]
        self.assertEqual(self.container["args"], container["args"])


class Operator(unittest.TestCase):
    def test_the_image_is_the_examples(self):
        values, = documents(K8S / "operator" / "values.yaml")
        image = values["sidecarConfiguration"]["image"]
        kustomization, = documents(K8S / "example" / "kustomization.yaml")
        self.assertEqual((kustomization["images"][0]["newName"],
                          kustomization["images"][0]["newTag"]),
                         (image["repository"], image["tag"]))


if __name__ == "__main__":
    unittest.main()
