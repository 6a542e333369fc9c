"""A SyncFlags upstream that vanishes without a word: every packet on the way to it is lost, as when
a node loses its network. The pod answers on, notices by TCP keep-alive, and heals by itself.

The hub is in a network namespace of its own; the tests wait for what TCP does in its own time, up
to 100 s.
"""

import time

from daemon_test_case import DaemonTestCase, main
from flag_documents import answering
from flagstone_process import PATIENCE_SECONDS, eventually
from other_machine import OtherMachine
import prometheus_text

# TCP_USER_TIMEOUT, looked at when a keep-alive probe is due, which is once in 20 s: at the latest
# 80 s after the last acknowledged packet.
NOTICED_SECONDS_MAX = 80 + 20
# Probes go out from the 20th second of silence on, and nobody gives up at the first: an upstream
# that is gone for shorter keeps its stream.
NOTICED_SECONDS_MIN = 20
STALE_SECONDS = 60


class DeadUpstream(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.other = OtherMachine.of(self)

    def hub(self, name, address="127.0.0.1:0", **more):
        flags = self.write(name + ".json", answering("v1"))
        return self.start("file:" + flags, listen=(address,), state=name + "-hub", **more)

    def pod(self, far, near):
        def environment(name, hub):
            return {"listen": ["unix:" + self.path(name)],
                    "sources": [{"uri": "grpc://" + hub.tcp_address}]}
        return self.start_with({"environments": {"far": environment("far", far),
                                                 "near": environment("near", near)}})

    def value(self, pod, environment):
        return pod.unix(self.path(environment)).value()

    def subscribers(self, far):
        """The streams that the far hub has open; its admin port is to be asked there."""
        text = self.other.python(f"import urllib.request as u; "
                                 f"print(u.urlopen('http://{far.admin_address}/metrics')"
                                 f".read().decode())")
        return prometheus_text.total(prometheus_text.parse(text), "flagstone_streams")

    def await_noticed(self, pod, lost_at):
        """Waits until a failure of the far upstream is counted; how long that took. Until then
        everybody is answered, and nothing is called stale that only this could make stale."""
        def noticed():
            self.assertEqual(self.value(pod, "far"), "v1")
            failed = pod.failures(environment="far") > 0
            if not failed:
                self.assertFalse(pod.environment("far")["stale"])
            return failed
        eventually(noticed, "the pod to notice", NOTICED_SECONDS_MAX + PATIENCE_SECONDS)
        return time.monotonic() - lost_at

    def test_lost_packets_are_noticed_and_healed_from(self):
        far = self.hub("far", f"{self.other.theirs}:0", wrapper=self.other.wrapper)
        # Dies at the same moment in a way that shows at once: it becomes stale while the other is
        # only being noticed.
        near = self.hub("near")
        pod = self.pod(far, near)
        port = far.tcp_address.rsplit(":", 1)[1]
        eventually(lambda: self.other.timers(port) == ["keepalive"], "the keep-alive timer")
        self.assertFalse(pod.environment("far")["stale"])
        self.assertFalse(pod.environment("near")["stale"])

        self.assertEqual(self.subscribers(far), 1)
        self.other.lose_everything()
        near.kill()
        lost_at = time.monotonic()
        self.write("far.json", answering("v2"))
        pod.await_failure("connect", "truncated", environment="near")
        near_lost_at = time.monotonic()
        self.assertFalse(pod.environment("near")["stale"])

        seconds = self.await_noticed(pod, lost_at)
        self.assertLess(seconds, NOTICED_SECONDS_MAX)
        self.assertGreater(seconds, NOTICED_SECONDS_MIN)
        # The stream's end, and maybe already tries to connect, which nobody answers either.
        self.assertEqual(pod.failures("timeout", environment="far"),
                         pod.failures(environment="far"))
        self.assertTrue(pod.source(environment="far")["last_error"])
        self.assertEqual(pod.admin.get("/readyz").status, 200)

        eventually(lambda: pod.environment("near")["stale"], "the dead one to be stale",
                   STALE_SECONDS + PATIENCE_SECONDS)
        self.assertGreater(time.monotonic() - near_lost_at, STALE_SECONDS - 5)
        self.assertEqual(self.value(pod, "near"), "v1")

        # The hub has sent its change to nobody, and lets go of the stream as well.
        eventually(lambda: self.subscribers(far) == 0, "the hub to notice")

        self.other.lose_nothing()
        eventually(lambda: self.value(pod, "far") == "v2", "the far upstream's change",
                   30 + PATIENCE_SECONDS)
        self.assertFalse(pod.source(environment="far")["last_error"])
        self.assertFalse(pod.environment("far")["stale"])


if __name__ == "__main__":
    main()
