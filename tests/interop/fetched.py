"""What tests need from registries, fetched when a test first asks and kept in the build folder:
Python packages, Node packages, Go programs, each at a pinned version.

Where the language is missing, or nothing can be fetched, the test that asked is skipped with the
reason; where CI is set and the language is there, failing to fetch is a failure."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FETCH_SECONDS = 600


def _build_folder():
    return pathlib.Path(os.environ.get("FLAGSTONE_BUILD_DIR", ROOT / "build")) / "fetched"


@contextlib.contextmanager
def _locked(path):
    """ctest runs several tests at once; one of them fetches and the others wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _digest(*parts):
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _run(commands, **more):
    """The first complaint, or None."""
    for command in commands:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              check=False, timeout=FETCH_SECONDS, stdin=subprocess.DEVNULL, **more)
        if done.returncode != 0:
            return done.stderr.strip() or done.stdout.strip() or f"{command} failed"
    return None


def _kept(folder, what, fetch):
    """`folder`, filled by fetch(folder) -> complaint unless it is complete already."""
    with _locked(folder.with_name(folder.name + ".lock")):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            complaint = fetch(folder)
            if complaint:
                sentence = f"{what} cannot be fetched: {complaint[-2000:]}"
                if os.environ.get("CI"):
                    raise RuntimeError(sentence)
                raise unittest.SkipTest(sentence)
            (folder / "complete").touch()
    return folder


def python_packages(requirements):
    """site-packages of a virtual environment with what that file lists, and nothing else."""
    requirements = pathlib.Path(requirements)
    folder = _build_folder() / ("python-" + _digest(requirements.read_text(), sys.version))

    def fetch(into):
        return _run([[sys.executable, "-m", "venv", into],
                     [into / "bin" / "python", "-m", "pip", "install", "--quiet",
                      "--disable-pip-version-check", "--no-deps", "--requirement", requirements]])
    _kept(folder, requirements.name, fetch)
    packages, = (folder / "lib").glob("python*/site-packages")
    return packages


def use_python_packages(requirements):
    """Makes those packages importable here."""
    packages = str(python_packages(requirements))
    if packages not in sys.path:
        sys.path.insert(0, packages)


def python_program(requirements):
    """The interpreter of that virtual environment, for a program of its own."""
    return python_packages(requirements).parents[2] / "bin" / "python"


def node_folder(package_folder):
    """A folder with node_modules as that folder's package.json and package-lock.json say, and the
    programs (*.mjs) that lie beside them."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise unittest.SkipTest("Node.js with npm is not installed")
    texts = {path.name: path.read_text() for path in sorted(pathlib.Path(package_folder).iterdir())
             if path.suffix in (".json", ".mjs")}
    folder = _build_folder() / ("node-" + _digest(*texts.values()))

    def fetch(into):
        for name, text in texts.items():
            (into / name).write_text(text)
        return _run([["npm", "ci", "--silent", "--no-audit", "--no-fund"]], cwd=into)
    return _kept(folder, "package.json's packages", fetch)


def go_programs(module_folder):
    """The folder of the programs that the packages of that Go module make, by its go.sum."""
    if not shutil.which("go"):
        raise unittest.SkipTest("Go is not installed")
    module_folder = pathlib.Path(module_folder)
    texts = {path.relative_to(module_folder): path.read_text()
             for path in sorted(module_folder.rglob("*"))
             if path.suffix in (".go", ".mod", ".sum")}
    folder = _build_folder() / ("go-" + _digest(*texts.values()))

    def fetch(into):
        return _run([["go", "build", "-mod=readonly", "-o", into, "./..."]], cwd=module_folder)
    _kept(folder, "go.mod's modules", fetch)
    return folder


def go_program(module, version):
    """The program that `go install MODULE@VERSION` makes."""
    if not shutil.which("go"):
        raise unittest.SkipTest("Go is not installed")
    folder = _build_folder() / ("go-" + _digest(module, version))

    def fetch(into):
        return _run([["go", "install", f"{module}@{version}"]],
                    env={**os.environ, "GOBIN": str(into)}, cwd=into)
    _kept(folder, f"{module}@{version}", fetch)
    return folder / module.rsplit("/", 1)[-1]
