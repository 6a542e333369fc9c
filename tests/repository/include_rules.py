"""Who may include whom, as DESIGN.md says it. A file's includes go in, sentences about what is
wrong come out; nothing here reads the disk, so that the rules themselves can be tested."""

import re

# Each folder and the folders of ours that it may include, itself aside.
MAY_INCLUDE = {
    "config": set(),
    "evaluation": set(),
    "cache": {"evaluation"},
    "net": set(),
    "upstream": {"cache", "evaluation", "config", "net"},
    "sidecar": {"cache", "evaluation", "config", "net", "upstream"},
}

# Libraries that only these folders may see, by how their headers' names begin.
ONLY_IN = {
    "uv.h": ("net/",),
    "uv/": ("net/",),
    "llhttp": ("net/",),
    "nghttp2/": ("net/",),
    "openssl/": ("net/",),
    "zlib.h": ("net/",),
    # The commands (health, evaluate) are short-lived programs that ask the daemon.
    "curl/": ("upstream/", "sidecar/commands/"),
    "sys/random.h": ("upstream/random_bytes.cc",),
}

# Folders whose parts do not know each other. A part is a folder NAME/ or files NAME.* and NAME_*.*;
# where two parts' names begin alike, they are told apart by being listed.
SEPARATE_PARTS = {
    "evaluation/dialects/": (),
    "upstream/transports/": ("file_watch", "http_poll", "sse", "grpc_stream", "kubernetes"),
    "sidecar/api/": ("ofrep", "flagd_evaluation", "flagd_sync", "launchdarkly_sdk",
                     "launchdarkly_events", "unleash_client", "unleash_frontend", "admin",
                     "grpc_health"),
}
# The interface that the parts of such a folder implement is nobody's part.
INTERFACES = {"upstream/transports/transport.h", "sidecar/api/api.h"}

_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def includes_of(text):
    """[(is_quoted, name)] of a source text."""
    return [(quote == '"', name) for quote, name in _INCLUDE.findall(text)]


def _room(path):
    return path.split("/", 1)[0]


def _part(path, folder):
    """The part of a separate-parts folder that a path belongs to."""
    name = path[len(folder):].split("/", 1)[0].split(".", 1)[0]
    for part in SEPARATE_PARTS[folder]:
        if name.startswith(part + "_"):
            return part
    return name


def _vendor(path):
    """The vendor a dialect's file belongs to, or None."""
    folder = "evaluation/dialects/"
    rest = path[len(folder):] if path.startswith(folder) else ""
    return rest.split("/", 1)[0] if "/" in rest else None


def _is_source_or_api_of(vendor, path):
    source = path.startswith(f"upstream/{vendor}_") or path.startswith(f"upstream/{vendor}/")
    # What serving threads report to a vendor is neither, and as much its own.
    return source or path.startswith((f"sidecar/api/{vendor}_", f"sidecar/{vendor}_"))


def _is_vendor_table(path):
    """Where main names the vendors: {name, make_dialect, make_source, add_routes}."""
    return path == "sidecar/main.cc" or bool(re.match(r"sidecar/vendors?\.(cc|h)$", path))


def _check_library(path, name):
    for prefix, folders in ONLY_IN.items():
        if name.startswith(prefix) and not path.startswith(folders):
            return f"{path}: <{name}> belongs to {' and '.join(folders)} alone"
    return None


def _check_dialect(path, target):
    """A vendor's folder, from outside: its factory for the table, its wire/ for its own."""
    vendor = _vendor(target)
    if vendor is None or _vendor(path) == vendor:
        return None
    if target == f"evaluation/dialects/{vendor}/{vendor}_dialect.h":
        if _is_vendor_table(path):
            return None
        return f"{path}: {target} is for the table of vendors; use evaluation/dialect.h"
    if target.startswith(f"evaluation/dialects/{vendor}/wire/"):
        if _is_source_or_api_of(vendor, path):
            return None
        return f"{path}: {target} is for {vendor}'s source and apis alone"
    return f"{path}: {target} is reached only through evaluation/dialect.h"


def _check_wire_from_within(path, target):
    """What compiles and evaluates knows nothing of how the vendor sends it. It only fills the account
    of a result that the vendor's wire then tells of."""
    vendor = _vendor(target)
    wire = f"evaluation/dialects/{vendor}/wire/"
    if target == wire + "detail.h":
        return None
    if vendor and vendor == _vendor(path) and target.startswith(wire) and not path.startswith(wire):
        return f"{path}: {target} is for {vendor}'s source and apis alone"
    return None


def _check_room(path, target):
    here, there = _room(path), _room(target)
    if there not in MAY_INCLUDE:
        return f"{path}: \"{target}\" is not written from the root, or not in a folder of ours"
    if here != there and there not in MAY_INCLUDE[here]:
        return f"{path}: {here}/ must not include {there}/ ({target})"
    return None


def _check_parts(path, target):
    if target in INTERFACES or path in INTERFACES:
        return None
    for folder in SEPARATE_PARTS:
        if path.startswith(folder) and target.startswith(folder):
            if _part(path, folder) != _part(target, folder):
                return f"{path}: the parts of {folder} do not include each other ({target})"
    return None


def _check_ground(path, target):
    """Inside evaluation/, nothing below knows the dialects that stand on it."""
    if path.startswith("evaluation/operators/") and target.startswith("evaluation/dialects/"):
        return f"{path}: operators know no dialect ({target})"
    return None


def problems(path, text):
    """What is wrong with the includes of one of our sources, one sentence each."""
    found = []
    for quoted, name in includes_of(text):
        checks = [_check_library(path, name)]
        if quoted and checks[0] is None and not any(name.startswith(p) for p in ONLY_IN):
            checks += [check(path, name) for check in (
                _check_room, _check_parts, _check_dialect, _check_wire_from_within, _check_ground)]
        found += [problem for problem in checks if problem]
    return found
