"""Flags' texts are read from the state's files while the daemon runs. What is damaged there is never an
answer: it is an error, counted and said once, and the source is asked for its texts again."""

import glob

from daemon_test_case import DaemonTestCase, main
from flag_documents import answering


class DamagedTexts(DaemonTestCase):
    def test_damage_is_an_error_and_heals(self):
        self.write("flags.json", answering("right", padding=300))
        daemon = self.start("file:flags.json")
        self.await_state_written(daemon)
        self.eventually(lambda: daemon.metric("flagstone_memory_bytes", part="vendor_bytes") == 0,
                        "texts to lie in the state's file")
        (base,) = glob.glob(self.path("state", "default", "*", "*.base"))
        with open(base, "r+b") as file:
            whole = file.read()
            # In place, as a disk does it: the daemon has this very file open.
            file.seek(0)
            file.write(whole.replace(b"right", b"wrong"))
        broken = daemon.ofrep().evaluate("answer")
        self.assertEqual((broken.status, broken.error_code), (503, "GENERAL"))
        self.assertEqual(broken.header("Retry-After"), "1")
        daemon.await_metric("flagstone_unreadable_texts_total")
        daemon.await_value("right")
        self.assertEqual(set(daemon.ofrep().bulk_values().values()), {"right"})
        said = [line for line in daemon.log if "damaged bytes" in line]
        self.assertEqual(len(said), 1)


if __name__ == "__main__":
    main()
