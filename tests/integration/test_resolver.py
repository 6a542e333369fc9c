"""A resolver that never answers blocks nothing: not the answers, not the other sources, not the
end. A mount namespace points the daemon at a silent name server, so this needs root."""

import shutil
import socket
import unittest

from daemon_test_case import POLL_INTERVAL, DaemonTestCase, main, require_root
from behaviours import document
from flag_documents import answering

SILENT_SERVER = "127.53.53.53"
WITH_RESOLV_CONF = ('mount --bind "$0" /etc/resolv.conf && '
                    'echo "hosts: files dns" > "$0.nsswitch" && '
                    'mount --bind "$0.nsswitch" /etc/nsswitch.conf && exec "$@"')


@require_root
@unittest.skipUnless(shutil.which("unshare"), "needs unshare")
class HangingResolver(DaemonTestCase):
    def test_it_blocks_nothing(self):
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        try:
            silent.bind((SILENT_SERVER, 53))
        except OSError as error:
            self.skipTest(f"port 53 is not to be had: {error}")
        silent.settimeout(30)
        resolv_conf = self.write("resolv.conf", f"nameserver {SILENT_SERVER}\n"
                                                "options timeout:30 attempts:5\n")
        good = self.upstream(document(answering("v1"), '"1"'))
        daemon = self.start_with(
            {"environments": {
                "lost": {"optional": True, "sources": [{"uri": "http://flags.example/f.json"}]},
                "default": {"sources": [{"uri": good.uri(), "interval": POLL_INTERVAL}]}}},
            wrapper=["unshare", "-m", "sh", "-c", WITH_RESOLV_CONF, resolv_conf])
        silent.recv(512)  # The question has been asked, and stays without an answer.
        self.assertEqual(daemon.ofrep().value(), "v1")
        good.serve(document(answering("v2"), '"2"'))
        daemon.await_value("v2")
        daemon.await_failure("resolve", environment="lost")
        self.assertEqual(daemon.admin.get("/readyz").status, 200)
        # Asked again while the second question hangs.
        self.assertEqual(daemon.stop(), 0)


if __name__ == "__main__":
    main()
