"""File sources: an edit changes the answer, however it is made; what is half-written, missing or
bad changes nothing and is warned about once."""

import os

from daemon_test_case import DaemonTestCase, main
from flag_documents import answering

YAML = """
flags:
  answer:
    state: ENABLED
    variants: {on: "yaml", number: 1.0}
    defaultVariant: on
"""


class Files(DaemonTestCase):
    def test_an_atomic_rename(self):
        self.write("flags.json", answering("v1"))
        daemon = self.start("file:flags.json")
        for number in range(2, 12):
            self.write("flags.json", answering(f"v{number}"))
            daemon.await_value(f"v{number}")

    def test_writing_in_place(self):
        path = self.write("flags.json", answering("v1"))
        daemon = self.start("file:flags.json")
        for value in ("v2", "longer than before", "v3"):
            with open(path, "wb") as out:
                out.write(answering(value))
            daemon.await_value(value)

    def test_an_absolute_path_and_file_with_slashes(self):
        path = self.write("flags.json", answering("v1"))
        for uri in (f"file:{path}", f"file://{path}"):
            with self.subTest(uri):
                daemon = self.start(uri, state=uri[-5:] + str(len(uri)))
                self.assertEqual(daemon.ofrep().value(), "v1")

    def test_half_written_then_whole(self):
        path = self.write("flags.json", answering("v1"))
        daemon = self.start("file:flags.json")
        whole = answering("v2")
        with open(path, "wb") as out:
            out.write(whole[:len(whole) // 2])
        daemon.await_failure("malformed")
        self.assertEqual(daemon.ofrep().value(), "v1")
        with open(path, "ab") as out:
            out.write(whole[len(whole) // 2:])
        daemon.await_value("v2")

    def test_missing_and_back(self):
        path = self.write("flags.json", answering("v1"))
        daemon = self.start("file:flags.json")
        os.remove(path)
        daemon.await_failure("missing")
        answer = daemon.ofrep().evaluate("answer")
        self.assertEqual(answer.value, "v1")
        self.eventually(lambda: daemon.ofrep().evaluate("answer").stale, "stale: unreadable")
        self.write("flags.json", answering("v2"))
        daemon.await_value("v2")
        self.assertFalse(daemon.ofrep().evaluate("answer").stale)

    def test_missing_at_start_and_its_folder_too(self):
        daemon = self.start("file:later/flags.json", wait="bound")
        daemon.await_failure("missing")
        self.assertEqual(daemon.ofrep().evaluate("answer").error_code, "PROVIDER_NOT_READY")
        self.write("later/flags.json", answering("v1"))
        daemon.await_ready()
        self.assertEqual(daemon.ofrep().value(), "v1")

    def test_bad_content_is_warned_about_once(self):
        self.write("flags.json", answering("v1"))
        daemon = self.start("file:flags.json")
        before = len(daemon.log)
        for number in range(4):
            failed = daemon.failures()
            self.write("flags.json", b"{" * (number + 1))
            self.eventually(lambda f=failed: daemon.failures() > f, "a failure")
        warnings = [line for line in daemon.log[before:] if "flags.json" in line]
        self.assertEqual(len(warnings), 1, warnings)
        self.write("flags.json", answering("v2"))
        daemon.await_value("v2")

    def test_yaml_and_a_number_s_spelling(self):
        self.write("flags.yaml", YAML)
        daemon = self.start("file:flags.yaml")
        self.assertEqual(daemon.ofrep().value(), "yaml")
        self.write("flags.yaml", YAML.replace("defaultVariant: on", "defaultVariant: number"))
        self.eventually(lambda: b'"value":1.0' in daemon.ofrep().evaluate("answer").body, "1.0")

    def test_numbers_keep_their_spelling_and_64_bits(self):
        spellings = ["1", "1.0", "1e2", "9223372036854775807", "-9223372036854775808",
                     "18446744073709551615", "0.1", "-0", "1E+2"]
        members = ",".join(f'"n{index}":{{"state":"ENABLED","variants":{{"v":{spelling}}},'
                           '"defaultVariant":"v"}' for index, spelling in enumerate(spellings))
        self.write("flags.json", '{"flags":{' + members + "}}")
        client = self.start("file:flags.json").ofrep()
        for index, spelling in enumerate(spellings):
            with self.subTest(spelling):
                body = client.evaluate(f"n{index}").body.decode()
                self.assertRegex(body, rf'"value": ?{spelling.replace("+", "[+]")}[,}}]')

    def test_config_map_symlink_swaps(self):
        """As the kubelet does: files are links into ..data, which is a link that is replaced."""
        mount = self.path("config")
        os.makedirs(mount)

        def put(version, value):
            folder = os.path.join(mount, f"..{version}")
            os.mkdir(folder)
            with open(os.path.join(folder, "flags.json"), "wb") as out:
                out.write(answering(value))
            os.symlink(f"..{version}", os.path.join(mount, "..data_tmp"))
            os.rename(os.path.join(mount, "..data_tmp"), os.path.join(mount, "..data"))
        put("1", "v1")
        os.symlink("..data/flags.json", os.path.join(mount, "flags.json"))
        daemon = self.start(f"file:{mount}/flags.json")
        for number in range(2, 8):
            put(str(number), f"v{number}")
            daemon.await_value(f"v{number}")

    def test_a_folder_that_is_replaced(self):
        self.write("deployed/flags.json", answering("v1"))
        daemon = self.start("file:deployed/flags.json")
        for number in (2, 3):
            os.rename(self.path("deployed"), self.path(f"old{number}"))
            self.write("deployed/flags.json", answering(f"v{number}"))
            daemon.await_value(f"v{number}")
        # And the watch is on the new folder.
        self.write("deployed/flags.json", answering("v4"))
        daemon.await_value("v4")

    def test_an_unreadable_kind_of_file(self):
        os.mkdir(self.path("flags.json"))
        daemon = self.start("file:flags.json", wait="bound")
        daemon.await_failure("unreadable", "missing", "malformed")
        self.assertTrue(daemon.alive)
        os.rmdir(self.path("flags.json"))
        os.mkfifo(self.path("flags.json"))
        # A pipe without a writer must not block the disk thread for good.
        os.remove(self.path("flags.json"))
        self.write("flags.json", answering("v1"))
        daemon.await_ready()
        self.assertEqual(daemon.ofrep().value(), "v1")


if __name__ == "__main__":
    main()
