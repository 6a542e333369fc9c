"""The checkers from PyPI (requirements.txt), fetched when a test first asks."""

import pathlib
import sys

import tree

sys.path.insert(0, str(tree.ROOT / "tests" / "interop"))

import fetched  # noqa: E402

REQUIREMENTS = pathlib.Path(__file__).with_name("requirements.txt")


def bin_folder():
    """The folder with the checkers' programs. Skips the calling test when they cannot be had."""
    return fetched.python_packages(REQUIREMENTS).parents[2] / "bin"


def yaml():
    """PyYAML's module, from the same place."""
    fetched.use_python_packages(REQUIREMENTS)
    import yaml as module  # pylint: disable=import-outside-toplevel
    return module
