"""What the numbers depend on: processor, kernel, compiler, versions."""

import os
import pathlib
import subprocess


def describe(daemon_program, cache_path):
    """Names and values for the head of the page; `cache_path` is the build's CMakeCache.txt."""
    return {
        "processor": f"{field('/proc/cpuinfo', 'model name', ':')}, {os.cpu_count()} cores seen",
        "kernel": f"{os.uname().sysname} {os.uname().release}",
        "system": field("/etc/os-release", "PRETTY_NAME", "="),
        "compiler": first_line([field(cache_path, "CMAKE_CXX_COMPILER", "="), "--version"]),
        "flagstone": first_line([daemon_program, "version"]),
        "libraries": ", ".join(f"{name} {first_line(['pkg-config', '--modversion', name])}"
                               for name in ("libuv", "libcurl", "simdjson")),
        "load of the machine before": f"{os.getloadavg()[0]:.2f}",
    }


def field(path, name, separator):
    """The value of the first line that begins with `name`, as these files write it."""
    if pathlib.Path(path).exists():
        for line in pathlib.Path(path).read_text(errors="replace").splitlines():
            key, found, value = line.partition(separator)
            if found and key.split(":")[0].strip() == name:
                return value.strip().strip('"')
    return "unknown"


def first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else "unknown"
