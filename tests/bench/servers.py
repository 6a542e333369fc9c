"""The servers that are measured, as child processes on one core, and what the kernel says of them."""

import contextlib
import http.server
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

from http_probe import HttpProbe

SERVER_CORE = 0
CLIENT_CORE = 1
START_LIMIT_SECONDS = 30
STOP_LIMIT_SECONDS = 10
POLL_SECONDS = 0.0003


class ServerFailed(Exception):
    pass


def on_core(core):
    return on_cores({core})


@contextlib.contextmanager
def on_cores(cores):
    """Children started inside inherit the cores; this process goes back to the client's."""
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, {CLIENT_CORE})


def free_port():
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return chosen.getsockname()[1]


class Server:
    """A child process with a TCP and a Unix target. Ends with the `with` block, whatever happens."""

    name = ""
    cores = frozenset({SERVER_CORE})

    def __init__(self, sockets_dir, log_path):
        self.tcp = f"127.0.0.1:{free_port()}"
        self.unix = f"unix:{sockets_dir}/{self.name}.sock"
        self.log_path = pathlib.Path(log_path)
        self.process = None
        self.started_at = None

    def command(self):
        raise NotImplementedError

    def __enter__(self):
        with self.log_path.open("wb") as log, on_cores(self.cores):
            self.started_at = time.perf_counter()
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise ServerFailed(f"{self.name} did not end within {STOP_LIMIT_SECONDS} s of SIGTERM")

    def fail(self, what):
        tail = self.log_path.read_text(errors="replace")[-2000:]
        raise ServerFailed(f"{self.name}: {what}\n{tail}")

    def wait_for(self, what, condition, limit_seconds=START_LIMIT_SECONDS):
        """Seconds until `condition` gives something true; OSError counts as not yet."""
        began = time.perf_counter()
        while time.perf_counter() - began < limit_seconds:
            if self.process.poll() is not None:
                self.fail(f"exited with {self.process.returncode}")
            with contextlib.suppress(OSError):
                if condition():
                    return time.perf_counter() - began
            time.sleep(POLL_SECONDS)
        return self.fail(f"not within {limit_seconds} s: {what}")

    def first_answer_seconds(self, request):
        """From the start of the process to the whole of its first 200."""

        def answered():
            with HttpProbe(self.tcp) as probe:
                return probe.ask(request).status == 200

        self.wait_for("an answer", answered)
        return time.perf_counter() - self.started_at

    def memory_mib(self):
        return {
            "resident": self._kib("smaps_rollup", "Rss") / 1024,
            "anonymous": self._kib("smaps_rollup", "Anonymous") / 1024,
            "peak": self._kib("status", "VmHWM") / 1024,
        }

    def forget_peak(self):
        """From now on the peak is that of what comes."""
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def _kib(self, file, field):
        for line in pathlib.Path(f"/proc/{self.pid}/{file}").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise ServerFailed(f"/proc/{self.pid}/{file} has no {field}")


class FixedAnswer(Server):
    name = "fixed_answer"

    def __init__(self, program, sockets_dir, log_path, answer_path):
        super().__init__(sockets_dir, log_path)
        self._program = program
        self._answer_path = answer_path

    def command(self):
        return [self._program, "--listen", self.tcp, "--listen", self.unix,
                "--answer-file", self._answer_path]


class FixedAnswerHttp2(FixedAnswer):
    name = "fixed_answer_http2"


class Daemon(Server):
    name = "flagstone"

    def __init__(self, program, sockets_dir, log_path, uri, state_dir, options=()):
        super().__init__(sockets_dir, log_path)
        self.admin = f"127.0.0.1:{free_port()}"
        self._program = program
        self._uri = uri
        self._state_dir = state_dir
        self._options = options

    def command(self):
        return [self._program, "start", "--uri", self._uri, "--listen", self.tcp,
                "--listen", self.unix, "--admin", self.admin, "--state-dir", self._state_dir,
                *self._options]

    def ready(self):
        with HttpProbe(self.admin) as probe:
            return probe.ask_path("/readyz").status == 200

    def wait_until_ready(self):
        return self.wait_for("/readyz", self.ready)

    def wait_until_ready_or_refused(self):
        """None when it is ready, else why it does not take its document."""
        refusal = ""

        def settled():
            nonlocal refusal
            with HttpProbe(self.admin) as probe:
                source, = probe.ask_path("/status").json()["environments"]["default"]["sources"]
            refusal = source["last_error"] if source["state"] == "refused" else ""
            return refusal or self.ready()

        self.wait_for("ready, or its document refused", settled)
        return refusal or None


class Upstream:
    """A vendor that serves one document over HTTP or HTTPS, until the `with` block ends and it is down."""

    def __init__(self, document, tls_context=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("ETag", '"bench-1"')
                self.send_header("Content-Length", str(len(document)))
                self.end_headers()
                self.wfile.write(document)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls_context:
            self._server.socket = tls_context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if tls_context else "http"
        self.uri = f"{scheme}://127.0.0.1:{self._server.server_port}/flags.json"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
