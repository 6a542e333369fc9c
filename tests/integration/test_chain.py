"""One Flagstone feeds another by SyncFlags: file -> hub -> pod -> app. A change comes through, the
hub's death does not, and the pod starts again without it."""

from daemon_test_case import DaemonTestCase, main
from flag_documents import answering


class Chain(DaemonTestCase):
    def hub(self, flags, listen):
        return self.start("file:" + flags, listen=(listen,), state="hub")

    def follow(self, uri):
        flags = self.write("flags.json", answering("v1"))
        hub = self.hub(flags, uri[1])
        pod = self.start(uri[0](hub), state="pod")
        pod.await_value("v1")
        self.assertEqual(pod.source()["kind"], "stream")

        self.write("flags.json", answering("v2"))
        pod.await_value("v2")
        self.await_state_written(pod)

        hub.kill()
        self.eventually(lambda: pod.failures() > 0, "the pod to notice")
        self.assertEqual(pod.ofrep().value(), "v2")
        self.assertEqual(pod.admin.get("/readyz").status, 200)

        # v2 is what the state must have: the write before may have been v1's.
        self.eventually(lambda: pod.stop() == 0, "the pod's end")
        again = self.start(uri[0](hub), state="pod")
        self.assertEqual(again.ofrep().value(), "v2")

        self.write("flags.json", answering("v3"))
        self.hub(flags, hub.tcp_address if uri[1].startswith("127") else uri[1])
        again.await_value("v3")

    def test_over_tcp(self):
        self.follow((lambda hub: "grpc://" + hub.tcp_address, "127.0.0.1:0"))

    def test_over_a_unix_socket(self):
        path = self.path("hub.sock")
        self.follow((lambda hub: "unix:" + path, "unix:" + path))


if __name__ == "__main__":
    main()
