"""A disk that is full or read-only costs a metric and a log line, never an answer; what was written
before stays whole. Real mounts, as root. (EIO and slow fsync are unit tests of the FileSystem.)"""

import os
import time

from daemon_test_case import DaemonTestCase, main, require_root
from behaviours import document
from flag_documents import answering
from mounts import fill, freeze, mount_ext4, mount_tmpfs, remount, shut_down, thaw


@require_root
class Disk(DaemonTestCase):
    def vendor(self):
        return self.upstream(document(answering("v1", padding=20), '"v1"'))

    def assert_serves_without_writing(self, daemon, fake):
        fake.serve(document(answering("v2", padding=200), '"v2"'))
        daemon.await_value("v2")
        daemon.await_metric("flagstone_state_write_failures_total")
        self.assertEqual(daemon.ofrep().bulk_values()["answer"], "v2")
        self.eventually(lambda: daemon.metric("flagstone_state_writable") == 0, "the metric's 0")
        self.assertFalse(daemon.status()["state"]["writable"])
        self.assertEqual(daemon.admin.get("/readyz").status, 200)

    def assert_writes_again(self, daemon, fake):
        writes = daemon.metric("flagstone_state_writes_total")
        fake.serve(document(answering("v3", padding=20), '"v3"'))
        daemon.await_value("v3")
        daemon.await_metric("flagstone_state_writes_total", writes + 1)
        self.assertEqual(daemon.metric("flagstone_state_writable"), 1)
        daemon.kill()
        fake.die()
        self.assertEqual(self.start(fake.uri()).ofrep().value(), "v3")

    def test_a_full_disk(self):
        mount_ext4(self, self.path("state"), 4)
        fake = self.vendor()
        daemon = self.start(fake.uri())
        self.await_state_written(daemon)
        filler = fill(self.path("state"))
        self.assert_serves_without_writing(daemon, fake)
        os.remove(filler)
        self.assert_writes_again(daemon, fake)

    def test_a_full_disk_keeps_the_old_state_whole(self):
        mount_ext4(self, self.path("state"), 4)
        fake = self.vendor()
        daemon = self.start(fake.uri())
        self.await_state_written(daemon)
        fill(self.path("state"))
        self.assert_serves_without_writing(daemon, fake)
        daemon.kill()
        fake.die()
        values = self.start(fake.uri()).ofrep().bulk_values()
        self.assertEqual(set(values.values()), {"v1"})

    def test_a_disk_that_dies(self):
        """Every access gives EIO from one moment on, as after a controller's failure."""
        mount_ext4(self, self.path("state"), 4)
        fake = self.vendor()
        daemon = self.start(fake.uri())
        self.await_state_written(daemon)
        shut_down(self, self.path("state"))
        self.assert_serves_without_writing(daemon, fake)
        self.assertEqual(daemon.stop(), 0)

    def test_a_large_document_waits_for_a_disk_that_hangs(self):
        mount_ext4(self, self.path("state"), 64)
        fake = self.vendor()
        daemon = self.start(fake.uri())
        self.await_state_written(daemon)
        freeze(self, self.path("state"))
        value = "v2" * 1000
        fake.serve(document(answering(value, padding=8000), '"v2"'))
        # What came waits for the disk; the rest waits with the other side, in its sockets.
        daemon.await_metric("flagstone_memory_bytes", 6 << 20, part="updates")
        time.sleep(0.5)
        self.assertLess(daemon.metric("flagstone_memory_bytes", part="updates"), 12 << 20)
        self.assertEqual(daemon.ofrep().value(), "v1")
        thaw(self.path("state"))
        daemon.await_value(value)
        self.assertNotIn("refused", "\n".join(daemon.log))

    def test_read_only_from_the_start_still_reads_the_state(self):
        mount_ext4(self, self.path("state"), 4)
        fake = self.vendor()
        daemon = self.start(fake.uri())
        self.await_state_written(daemon)
        daemon.kill()
        fake.die()
        remount(self, self.path("state"), "ro")
        daemon = self.start(fake.uri())
        self.assertEqual(daemon.ofrep().value(), "v1")
        self.assertEqual(daemon.metric("flagstone_state_writable"), 0)

    def test_tmpfs_is_warned_about(self):
        mount_tmpfs(self, self.path("state"), "4m")
        fake = self.vendor()
        daemon = self.start(fake.uri())
        daemon.await_log(r"warn.*(?i:tmpfs|memory)")
        self.assertEqual(daemon.ofrep().value(), "v1")


class NoDisk(DaemonTestCase):
    def test_a_state_directory_that_cannot_be_made(self):
        self.write("blocked", b"a file where the folder should be")
        fake = self.upstream(document(answering("v1"), '"v1"'))
        daemon = self.start(fake.uri(), state="blocked/state")
        self.assertEqual(daemon.ofrep().value(), "v1")
        self.assertEqual(daemon.metric("flagstone_state_writable"), 0)


if __name__ == "__main__":
    main()
