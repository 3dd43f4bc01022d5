"""The console script ``livery``."""

from __future__ import annotations

import sys

from livery import __version__


def main() -> None:
    """Run the command line. The version is printed without loading anything; everything else is in the tree."""
    if sys.argv[1:] == ["--version"]:
        print(f"livery {__version__}")
        return
    try:
        from livery.cli.root import livery
    except KeyboardInterrupt:  # interrupted before there was anything that could say so
        sys.exit(130)
    livery()
