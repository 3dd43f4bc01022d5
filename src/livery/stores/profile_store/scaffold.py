"""The files that every profile store has, made where they are missing."""

from __future__ import annotations

import os
from pathlib import Path

from livery.stores.directory_state import DirectoryState
from livery.stores.files import atomic_write, locked, make_directory
from livery.stores.profile_store.layout import PROFILES, SIDECAR, files_of, layout_of, read_inside
from livery.stores.profile_store.parts import demand_store
from livery.stores.profile_store.reading import DEFAULT

_DEFAULT = """\
# The MCP servers of every client that has no profile of its own, each as
#   - name: git
#     cmd: [mcp-server-git]
servers: []
"""
_CALLERS = """\
# Which caller gets which profile; every other one gets default.
callers:
  default: default
"""


def init_store(directory: Path) -> list[Path]:
    """Make the default profile and the caller map of a store where they are missing; the files that were made.

    ValidationError where the path is no directory, or one with an old single file; runtime.yaml is left alone.
    """
    directory = Path(os.path.expanduser(directory))
    if os.path.lexists(directory):
        demand_store(directory, _state(directory).contents())
    with locked(directory / SIDECAR, also_in=[directory / PROFILES]):
        missing = _missing(directory)
        for path, text in missing.items():
            make_directory(path.parent)
            atomic_write(path, text.encode())
    return list(missing)


def _missing(directory: Path) -> dict[Path, str]:
    layout = layout_of(directory, _state(directory).contents())
    missing = {}
    if DEFAULT not in layout.profiles:
        missing[layout.profile_file(DEFAULT)] = _DEFAULT
    if not layout.callers:
        missing[layout.callers_file] = _CALLERS
    return missing


def _state(directory: Path) -> DirectoryState:
    url = f"profile-store:{directory}"
    return DirectoryState(url, lambda: files_of(directory, url), lambda path: read_inside(path, directory))
