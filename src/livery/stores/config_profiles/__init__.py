"""A base file in TOML and overlays over it, indexed by a manifest: the configuration profiles of an application.

``layout`` says which file is what, ``index`` reads the manifest or, where that cannot be used, lists the files
(``scanning``); ``overlays`` makes profiles of files, ``edits`` files of profiles, within what they have ``room`` for;
``watching`` tells whether an overlay has changed, ``places`` where a field stands, ``pointer`` which profile is the
active one. ``reading``, ``writing`` and ``store`` put them together.
"""

from livery.stores.config_profiles.layout import directory_of
from livery.stores.config_profiles.store import ConfigProfilesStore

__all__ = ["ConfigProfilesStore", "directory_of"]
