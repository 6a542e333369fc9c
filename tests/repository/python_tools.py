"""The checkers from PyPI (requirements.txt), in a virtual environment under the build folder.

Made when a test first asks and kept; without a network the test that asked is skipped, except
where CI is set: there a check that cannot run is a failure."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

import tree

REQUIREMENTS = pathlib.Path(__file__).with_name("requirements.txt")


def _folder():
    build = os.environ.get("FLAGSTONE_BUILD_DIR", tree.ROOT / "build")
    digest = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    return pathlib.Path(build) / "python-tools" / digest[:16]


@contextlib.contextmanager
def _locked(path):
    """ctest runs several tests at once; one of them installs and the others wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(folder):
    shutil.rmtree(folder, ignore_errors=True)
    python = folder / "bin" / "python"
    for command in (
            [sys.executable, "-m", "venv", folder],
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--requirement", REQUIREMENTS]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return done.stderr.strip() or done.stdout.strip() or f"{command} failed"
    (folder / "complete").touch()
    return None


def bin_folder():
    """The folder with the checkers' programs. Skips the calling test when they cannot be had."""
    folder = _folder()
    with _locked(folder.with_suffix(".lock")):
        if not (folder / "complete").exists():
            error = _install(folder)
            if error:
                sentence = f"{REQUIREMENTS.name} cannot be installed: {error}"
                if os.environ.get("CI"):
                    raise RuntimeError(sentence)
                raise unittest.SkipTest(sentence)
    return folder / "bin"


def yaml():
    """PyYAML's module, from the same place."""
    packages, = (bin_folder().parent / "lib").glob("python*/site-packages")
    if str(packages) not in sys.path:
        sys.path.append(str(packages))
    import yaml as module  # pylint: disable=import-outside-toplevel
    return module
