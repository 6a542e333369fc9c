"""The manifests in k8s/ are what Kubernetes accepts and say what DESIGN.md promises."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import python_tools
import tree

# The first version with native sidecars on by default, and the newest that the checker knows.
KUBERNETES_VERSIONS = ("1.29.0", "1.37.0")

MIB = 1024 * 1024
K8S = tree.ROOT / "k8s"

BREAKAGES = [
    ("an unknown key", "enableServiceLinks: false", "enableServiceLink: false"),
    ("a wrong type", "terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: soon"),
    ("no selector", "matchLabels: {app: example-app}", "wrongLabels: {app: example-app}"),
]


def validate(*paths):
    """[(version, output)] of the versions that refuse one of the files."""
    checker = python_tools.bin_folder() / "kubernetes-validate"
    refused = []
    for version in KUBERNETES_VERSIONS:
        done = subprocess.run([checker, "--strict", "-k", version, *paths],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            refused.append((version, done.stdout + done.stderr))
    return refused


def documents(path):
    return list(python_tools.yaml().safe_load_all(path.read_text(encoding="utf-8")))


def pod_spec(deployment):
    return deployment["spec"]["template"]["spec"]


def flagstone_container(spec):
    found, = [c for c in spec["initContainers"] if c["name"] == "flagstone"]
    return found


def size_bytes(text):
    number, unit = re.fullmatch(r"(\d+)(Mi|MiB)", text).groups()
    assert unit in ("Mi", "MiB")
    return int(number) * MIB


def merged(deployment, patch):
    """The component's patch on a Deployment, for machines without kubectl: lists by name."""
    spec, add = pod_spec(deployment), pod_spec(patch)
    for key, value in add.items():
        if isinstance(value, list):
            spec[key] = value + spec.get(key, [])
        elif isinstance(value, dict):
            spec[key] = {**spec.get(key, {}), **value}
        else:
            spec[key] = value
    return deployment


class Sidecar(unittest.TestCase):
    def setUp(self):
        self.config_map, self.deployment = documents(K8S / "sidecar.yaml")
        self.spec = pod_spec(self.deployment)
        self.container = flagstone_container(self.spec)
        self.volumes = {volume["name"]: volume for volume in self.spec["volumes"]}
        self.config = python_tools.yaml().safe_load(self.config_map["data"]["flagstone.yaml"])

    def test_kubernetes_accepts_it(self):
        self.assertEqual([], validate(K8S / "sidecar.yaml"))

    def test_the_checker_refuses_what_is_broken(self):
        text = (K8S / "sidecar.yaml").read_text(encoding="utf-8")
        for what, right, wrong in BREAKAGES:
            with self.subTest(what), tempfile.TemporaryDirectory() as folder:
                self.assertIn(right, text)
                broken = pathlib.Path(folder) / "broken.yaml"
                broken.write_text(text.replace(right, wrong), encoding="utf-8")
                self.assertEqual(len(KUBERNETES_VERSIONS), len(validate(broken)))

    def test_it_is_a_native_sidecar_with_exec_probes(self):
        self.assertEqual("Always", self.container["restartPolicy"])
        for probe, option in (("startupProbe", "--startup"), ("readinessProbe", "--ready"),
                              ("livenessProbe", "--live")):
            self.assertEqual(["flagstone", "health", option],
                             self.container[probe]["exec"]["command"])
        self.assertIs(False, self.spec["enableServiceLinks"])

    def test_startup_waits_longer_than_the_daemon(self):
        probe = self.container["startupProbe"]
        startup_wait_s = 10  # The daemon's default: --startup passes after it even without data.
        self.assertGreater(probe["periodSeconds"] * probe["failureThreshold"], startup_wait_s)

    def test_nothing_is_allowed_that_is_not_needed(self):
        self.assertEqual({
            "runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532,
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
        }, self.container["securityContext"])
        self.assertEqual(65532, self.spec["securityContext"]["fsGroup"])

    def test_limits_follow_from_the_configuration(self):
        memory_limit = size_bytes(self.config["cache"]["memory_limit"])
        state_limit = size_bytes(self.config["state"]["limit"])
        self.assertEqual(memory_limit * 5 // 4 + 16 * MIB,
                         size_bytes(self.container["resources"]["limits"]["memory"]))
        self.assertEqual(state_limit * 5 // 4,
                         size_bytes(self.volumes["flagstone-state"]["emptyDir"]["sizeLimit"]))

    def test_paths_of_the_configuration_are_mounted(self):
        mounts = {mount["name"]: mount["mountPath"] for mount in self.container["volumeMounts"]}
        self.assertLessEqual(set(mounts), set(self.volumes))
        self.assertEqual(self.config["state"]["dir"], mounts["flagstone-state"])
        socket = self.config["listen"][0].removeprefix("unix:")
        self.assertTrue(socket.startswith(mounts["flagstone-socket"] + "/"))
        bootstrap = pathlib.Path(self.config["environments"]["default"]["bootstrap"])
        self.assertEqual(mounts["flagstone-config"], str(bootstrap.parent))
        self.assertIn("flags", json.loads(self.config_map["data"][bootstrap.name]))
        app = self.spec["containers"][0]
        self.assertIn("flagstone-socket", [mount["name"] for mount in app["volumeMounts"]])


class Component(unittest.TestCase):
    def setUp(self):
        self.patch, = documents(K8S / "component" / "deployment-patch.yaml")
        self.app, = documents(K8S / "example" / "deployment.yaml")

    def check(self, rendered):
        """What the example's Deployment must be, however it was put together."""
        spec = pod_spec(rendered)
        names = [container["name"] for container in spec["initContainers"]]
        self.assertEqual(["flagstone", "migrate"], names)
        self.assertEqual(["shop"], [container["name"] for container in spec["containers"]])
        volumes = [volume["name"] for volume in spec["volumes"]]
        self.assertIn("uploads", volumes)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "rendered.yaml"
            path.write_text(json.dumps(rendered), encoding="utf-8")
            self.assertEqual([], validate(path))

    def test_it_adds_what_the_sidecar_manifest_has(self):
        _, deployment = documents(K8S / "sidecar.yaml")
        there, here = pod_spec(deployment), pod_spec(self.patch)
        self.assertEqual(flagstone_container(there), flagstone_container(here))
        self.assertEqual(there["volumes"], here["volumes"])
        self.assertEqual(there["securityContext"], here["securityContext"])
        self.assertEqual(there["enableServiceLinks"], here["enableServiceLinks"])

    def test_kubernetes_accepts_the_merged_deployment(self):
        self.check(merged(self.app, self.patch))

    def test_kustomize_renders_the_example(self):
        kubectl = shutil.which("kubectl")
        if kubectl is None:
            self.skipTest("no kubectl here; the merge was checked without it")
        done = subprocess.run([kubectl, "kustomize", K8S / "example"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        rendered = list(python_tools.yaml().safe_load_all(done.stdout))
        by_kind = {document["kind"]: document for document in rendered}
        self.check(by_kind["Deployment"])
        self.assertEqual("flagstone", by_kind["ConfigMap"]["metadata"]["name"])
        self.assertEqual({"flagstone.yaml", "bootstrap.json"}, set(by_kind["ConfigMap"]["data"]))
        shop = pod_spec(by_kind["Deployment"])["containers"][0]
        self.assertEqual({"uploads", "flagstone-socket"},
                         {mount["name"] for mount in shop["volumeMounts"]})


if __name__ == "__main__":
    unittest.main()
