"""Sources other than files: a change that is pushed over SyncFlags, and a start from HTTPS."""

import pathlib
import sys
import time

import flag_set
from http_probe import SINGLE_PATH, HttpProbe, evaluation_request
from measures import CHANGE_PAUSE_SECONDS, spread, wait_for_revision
from servers import Upstream
from sync_upstream import SyncUpstream

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fakes"))

import certificates  # noqa: E402


def pushed(bench):
    """From the sending of a document in which one flag differs to the changed answer."""
    rows = []
    for flags in bench.sizes:
        with SyncUpstream(flag_set.document(flags)) as upstream:
            with bench.daemon(upstream.uri) as daemon:
                daemon.wait_until_ready()
                rows.append({"flags": flags, **spread(pushed_seconds(bench, daemon, upstream, flags))})
    return rows


def pushed_seconds(bench, daemon, upstream, flags):
    seconds = []
    with HttpProbe(daemon.tcp) as probe:
        wait_for_revision(daemon, probe, 0)
        for revision in range(1, 1 + bench.changes):
            message = upstream.prepared(flag_set.document(flags, revision=revision))
            time.sleep(CHANGE_PAUSE_SECONDS)
            began = time.perf_counter()
            upstream.push(message)
            wait_for_revision(daemon, probe, revision)
            seconds.append(time.perf_counter() - began)
    return seconds


def https(bench):
    """From the start of the process to its first answer, the document fetched over TLS."""
    if not certificates.available():
        return {"not_measured": "openssl is not installed"}
    request = evaluation_request(SINGLE_PATH + flag_set.ASKED_FLAG)
    certificate, context = certificates.make(str(bench.work_dir), "upstream")
    document = flag_set.document(bench.largest).encode()
    seconds = []
    with Upstream(document, context) as upstream:
        for _ in range(bench.starts):
            with bench.daemon(upstream.uri, options=("--ca-file", certificate)) as daemon:
                seconds.append(daemon.first_answer_seconds(request))
    return {"flags": bench.largest, **spread(seconds)}
