"""A directory of YAML files as one registry: a profile a file, its callers, and the settings that all profiles share.

``layout`` says which file is what, ``parts`` reads them, ``reading`` makes a registry of them and ``agreement`` holds
the rules that they have among one another; ``sidecar`` keeps the versions. ``room`` is what the files cannot hold,
``edits`` what a change is in its file, ``writing`` what a write is in all files; ``places`` finds the lines.
"""

from livery.stores.profile_store.scaffold import init_store
from livery.stores.profile_store.store import DirectoryStore

__all__ = ["DirectoryStore", "init_store"]
