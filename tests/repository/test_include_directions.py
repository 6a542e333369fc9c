"""The include directions of DESIGN.md hold, and the checker would notice if they did not."""

import unittest

import include_rules
import tree


class TheTree(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        rooms = tuple(f"{room}/" for room in include_rules.MAY_INCLUDE)
        self.sources = [name for name in tree.files(".cc", ".h") if name.startswith(rooms)]
        self.assertGreater(len(self.sources), 10, "the sources were not found")

    def test_includes_go_the_right_way(self):
        found = []
        for name in self.sources:
            found += include_rules.problems(name, tree.read(name))
        self.assertEqual([], found)

    def test_quoted_includes_exist(self):
        missing = []
        for name in self.sources:
            for quoted, target in include_rules.includes_of(tree.read(name)):
                written = target.removesuffix(".pb.h") + ".proto" if target.endswith(".pb.h") else target
                if quoted and not (tree.ROOT / written).is_file():
                    missing.append(f"{name}: {target}")
        self.assertEqual([], missing)


# One include that must be refused per row, and a part of the sentence about it.
PLANTED = [
    ("config/file.cc", '"evaluation/value.h"', "config/ must not include evaluation/"),
    ("evaluation/value.cc", '"cache/layer.h"', "evaluation/ must not include cache/"),
    ("cache/layer.cc", '"net/loop.h"', "cache/ must not include net/"),
    ("cache/layer.cc", '"upstream/source.h"', "cache/ must not include upstream/"),
    ("net/loop.cc", '"config/options.h"', "net/ must not include config/"),
    ("upstream/source.cc", '"sidecar/daemon.h"', "upstream/ must not include sidecar/"),
    ("evaluation/value.cc", "<uv.h>", "belongs to net/"),
    ("cache/layer.cc", '"uv.h"', "belongs to net/"),
    ("sidecar/daemon.cc", "<llhttp.h>", "belongs to net/"),
    ("upstream/http_client.cc", "<openssl/evp.h>", "belongs to net/"),
    ("sidecar/daemon.cc", "<curl/curl.h>", "belongs to upstream/"),
    ("upstream/instance_id.cc", "<sys/random.h>", "belongs to upstream/random_bytes.cc"),
    ("sidecar/daemon.cc", '"daemon.h"', "not written from the root"),
    ("sidecar/daemon.cc", '"../cache/layer.h"', "not written from the root"),
    ("sidecar/daemon.cc", '"tests/fakes/clock.h"', "not in a folder of ours"),
    ("evaluation/dialects/flagd/compile.cc", '"evaluation/dialects/unleash/parse.h"',
     "do not include each other"),
    ("upstream/transports/http_poll.cc", '"upstream/transports/file_watch.h"',
     "do not include each other"),
    ("sidecar/api/ofrep.cc", '"sidecar/api/admin.h"', "do not include each other"),
    ("sidecar/api/flagd_sync.cc", '"sidecar/api/flagd_evaluation.h"', "do not include each other"),
    ("sidecar/api/admin_status.cc", '"sidecar/api/ofrep_answer.h"', "do not include each other"),
    ("sidecar/api/ofrep/bulk.cc", '"sidecar/api/admin/status.h"', "do not include each other"),
    ("sidecar/api/ofrep.cc", '"evaluation/dialects/flagd/evaluate.h"', "evaluation/dialect.h"),
    ("upstream/flagd_source.cc", '"evaluation/dialects/flagd/compile.h"', "evaluation/dialect.h"),
    ("cache/layer.cc", '"evaluation/dialects/flagd/flagd_dialect.h"', "table of vendors"),
    ("upstream/source.cc", '"evaluation/dialects/flagd/wire/document.h"', "source and apis alone"),
    ("upstream/unleash_source.cc", '"evaluation/dialects/flagd/wire/document.h"',
     "source and apis alone"),
    ("sidecar/unleash_reports.cc", '"evaluation/dialects/flagd/wire/document.h"',
     "source and apis alone"),
    ("evaluation/dialects/flagd/compile.cc", '"evaluation/dialects/flagd/wire/document.h"',
     "source and apis alone"),
    ("evaluation/operators/sem_ver.cc", '"evaluation/dialects/flagd/parse.h"', "no dialect"),
    ("evaluation/value.cc", '"evaluation/dialects/flagd/parse.h"', "evaluation/dialect.h"),
]

ALLOWED = [
    ("cache/layer.cc", '"evaluation/record.h"'),
    ("net/loop.cc", "<uv.h>"),
    ("net/loop.cc", '"net/timer.h"'),
    ("upstream/http_client.cc", "<curl/curl.h>"),
    ("upstream/random_bytes.cc", "<sys/random.h>"),
    ("upstream/flagd_source.cc", '"evaluation/dialects/flagd/wire/document.h"'),
    ("sidecar/api/flagd_sync.cc", '"evaluation/dialects/flagd/wire/document.h"'),
    ("sidecar/flagd_reports.cc", '"evaluation/dialects/flagd/wire/document.h"'),
    ("sidecar/api/ofrep/bulk.cc", '"sidecar/api/ofrep/single.h"'),
    ("sidecar/api/ofrep.cc", '"sidecar/api/ofrep.h"'),
    ("sidecar/api/ofrep_events.cc", '"sidecar/api/ofrep_answer.h"'),
    ("sidecar/main.cc", '"evaluation/dialects/flagd/flagd_dialect.h"'),
    ("upstream/transports/http_poll.cc", '"upstream/transports/transport.h"'),
    ("evaluation/dialects/flagd/compile.cc", '"evaluation/dialects/flagd/parse.h"'),
    ("evaluation/dialects/flagd/compile.cc", '"evaluation/operators/sem_ver.h"'),
]


class TheChecker(unittest.TestCase):
    def test_a_planted_include_is_found(self):
        for path, include, sentence in PLANTED:
            with self.subTest(path=path, include=include):
                text = f"// A comment.\n#include <string>\n#include {include}\n\nint x;\n"
                found = include_rules.problems(path, text)
                self.assertTrue(any(sentence in problem for problem in found), found)

    def test_what_is_allowed_passes(self):
        for path, include in ALLOWED:
            with self.subTest(path=path, include=include):
                self.assertEqual([], include_rules.problems(path, f"#include {include}\n"))

    def test_spelling_hides_nothing(self):
        for text in ("#  include   <uv.h>\n", "  #include<uv.h>\n", "#include\t<uv.h> // why\n"):
            with self.subTest(text=text):
                self.assertEqual(1, len(include_rules.problems("cache/layer.cc", text)))


if __name__ == "__main__":
    unittest.main()
