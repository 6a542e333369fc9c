"""A memory control group for one process tree, version 1 or 2; or the reason why there is none."""

import os
import pathlib

V1 = pathlib.Path("/sys/fs/cgroup/memory")
V2 = pathlib.Path("/sys/fs/cgroup")


class Unavailable(Exception):
    pass


class MemoryCgroup:
    def __init__(self, name, limit_bytes):
        """Makes it; raises Unavailable with the reason."""
        self.v1 = (V1 / "memory.limit_in_bytes").exists()
        parent = V1 if self.v1 else V2
        if not self.v1 and "memory" not in self.read(V2 / "cgroup.subtree_control"):
            raise Unavailable("no memory controller can be had, of version 1 or 2")
        self.folder = parent / f"{name}-{os.getpid()}"
        try:
            self.folder.mkdir()
            (self.folder / self.limit_file).write_text(str(limit_bytes))
        except OSError as error:
            raise Unavailable(f"{self.folder}: {error.strerror}") from error

    @staticmethod
    def read(path):
        try:
            return path.read_text()
        except OSError:
            return ""

    @property
    def limit_file(self):
        return "memory.limit_in_bytes" if self.v1 else "memory.max"

    def wrapper(self):
        """Starts a command inside the group."""
        return ["sh", "-c", f'echo $$ > {self.folder}/cgroup.procs; exec "$0" "$@"']

    def oom_kills(self):
        name = "memory.oom_control" if self.v1 else "memory.events"
        for line in self.read(self.folder / name).splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
        return 0

    def remove(self):
        try:
            self.folder.rmdir()
        except OSError:
            pass  # The process is still ending; an empty group costs nothing.
