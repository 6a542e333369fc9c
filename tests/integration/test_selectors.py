"""Which flags a caller means: selectors inside an environment, and environments by listener and by
credential."""

from daemon_test_case import DaemonTestCase, main
from behaviours import document
from flag_documents import answering, encoded, flags


def selecting(selector):
    return {"Flagd-Selector": selector}


class Selectors(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.write("blue.json", encoded(flags({"shared": "blue", "b": 1},
                                              metadata={"flagSetId": "blue"})))
        self.write("red.json", encoded(flags({"shared": "red", "r": 1},
                                             metadata={"flagSetId": "red"})))
        self.write("none.json", encoded(flags({"plain": 1})))
        self.daemon = self.start("file:blue.json", "file:red.json", "file:none.json")
        self.client = self.daemon.ofrep()

    def test_by_set(self):
        for name in ("blue", "red"):
            with self.subTest(name):
                header = selecting(f"flagSetId={name}")
                answer = self.client.evaluate("shared", headers=header)
                self.assertEqual(answer.value, name)
                self.assertEqual(answer.metadata["flagSetId"], name)
                self.assertEqual(self.client.bulk_values(headers=header),
                                 {"shared": name, name[0]: 1})

    def test_flags_of_no_set(self):
        header = selecting("flagSetId=")
        self.assertEqual(self.client.bulk_values(headers=header), {"plain": 1})
        self.assertEqual(self.client.evaluate("shared", headers=header).status, 404)

    def test_by_source(self):
        for selector in ("source=blue.json", "blue.json"):
            with self.subTest(selector):
                self.assertEqual(self.client.bulk_values(headers=selecting(selector)),
                                 {"shared": "blue", "b": 1})

    def test_unknown_and_bad_selectors(self):
        self.assertEqual(self.client.bulk_values(headers=selecting("flagSetId=green")), {})
        self.assertEqual(
            self.client.evaluate("shared", headers=selecting("flagSetId=green")).status, 404)
        for selector in ("colour=blue", "=blue"):
            with self.subTest(selector):
                for answer in (self.client.evaluate("shared", headers=selecting(selector)),
                               self.client.bulk(headers=selecting(selector))):
                    self.assertEqual((answer.status, answer.error_code), (400, "GENERAL"), answer)

    def test_the_bulk_etag_knows_the_selector(self):
        etags = {self.client.bulk(headers=selecting(s)).header("ETag")
                 for s in ("", "flagSetId=blue", "flagSetId=red", "source=none.json")}
        self.assertEqual(len(etags), 4)


class Environments(DaemonTestCase):
    def start_three(self):
        for name in ("default", "one", "two"):
            self.write(f"{name}.json", answering(name))
        self.write("one.token", "one-secret")
        return self.start_with({"environments": {
            "default": {"sources": [{"uri": "file:default.json"}]},
            "one": {"sources": [{"uri": "file:one.json"}],
                    "accept": [{"file": "one.token"}]},
            "two": {"sources": [{"uri": "file:two.json"}],
                    "listen": ["unix:" + self.path("two")]}}})

    def test_by_listener_and_by_credential(self):
        daemon = self.start_three()
        client = daemon.ofrep()
        self.assertEqual(client.value(), "default")
        bearer = {"Authorization": "Bearer one-secret"}
        self.assertEqual(client.evaluate("answer", headers=bearer).value, "one")
        self.assertEqual(client.evaluate("answer", headers={"X-API-Key": "one-secret"}).value,
                         "one")
        bound = daemon.unix(self.path("two"))
        self.assertEqual(bound.value(), "two")
        self.assertEqual(bound.evaluate("answer", headers=bearer).status, 401)

    def test_the_source_s_own_credential_selects_its_environment(self):
        self.write("default.json", answering("default"))
        self.write("token", "vendor-secret")
        fake = self.upstream(document(answering("vendor"), '"1"'))
        daemon = self.start_with({"environments": {
            "default": {"sources": [{"uri": "file:default.json"}]},
            "vendor": {"sources": [{"uri": fake.uri(), "credential_file": "token"}]}}})
        headers = {"Authorization": "Bearer vendor-secret"}
        self.assertEqual(daemon.ofrep().evaluate("answer", headers=headers).value, "vendor")
        self.assertEqual(daemon.ofrep().value(), "default")


if __name__ == "__main__":
    main()
