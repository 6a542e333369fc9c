"""The files of this tree, as the tests of the tree see them."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What a build or a download leaves behind, when git cannot be asked.
_NOT_OURS = {".git", ".deps", "build", "__pycache__"}


def files(*suffixes):
    """Paths of our files relative to the root, as text, sorted; all of them without suffixes."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z",
         "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.split("\0") if name]
    else:  # A copy of the tree without its .git, as in an image build.
        names = []
        for folder, folders, leaves in os.walk(ROOT):
            folders[:] = [name for name in folders if name not in _NOT_OURS]
            names += [os.path.relpath(os.path.join(folder, leaf), ROOT) for leaf in leaves]
    return sorted({name for name in names
                   if name.endswith(suffixes or "") and (ROOT / name).is_file()})


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")
