"""From the configuration of a process to its registries: default sources, the state, trusted files, the active profile.

Nothing is read here, and no database is opened: what nobody asks for costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from livery.config import SYSTEM_HOME, Configuration, config_home, data_home
from livery.core.names import Reference
from livery.errors import ProfileNotFound, RegistryNotFound, Unavailable
from livery.service import RegistryService
from livery.settings import schema_named
from livery.state import State, state_database
from livery.stores.chain import Source
from livery.stores.opening import open_chain, open_source, open_store
from livery.stores.urls import SourceURL, parse_source

PROJECT_FILE = ".livery.yaml"
_NEVER_WRITTEN = ("builtin", "https", "http")


class Process(NamedTuple):
    """What a command works with."""

    configuration: Configuration
    service: RegistryService
    state: State

    @property
    def warnings(self) -> tuple[str, ...]:
        """Why sources take no part, and what they have to say of themselves; the first call reads them."""
        _ = self.service.catalogue
        skipped = [source.skipped for source in self.service.sources if source.skipped]
        notices = [notice for source in self.service.sources for notice in source.loaded.notices if not notice.profile]
        return (*skipped, *(str(notice.fault) for notice in notices))


def start(
    configuration: Configuration,
    environ: Mapping[str, str],
    cwd: Path,
    *,
    read_only: bool = False,
    system: Path = SYSTEM_HOME,
) -> Process:
    """The registries and the state of a process; nothing is read yet.

    With ``read_only`` no source is written, whatever its URL says. ``system`` is the folder of the machine's own files.
    """
    named = [parse_source(text) for text in configuration.sources]
    usual = [] if named else usual_sources(environ, system)
    writer = configuration.writer or ("" if named else usual[-1].text)  # not a file where it cannot be written
    state = State(state_database(configuration.state, environ, _written(named or usual, writer)))
    sources = [open_source(url._replace(readonly=url.readonly or read_only)) for url in named or usual]
    project = None if named else project_file(cwd)
    if project is not None:
        sources.insert(-1, _project_source(project, state))  # below the database: what is written there counts
    chain = open_chain(
        sources, schema_named, writer=writer or None, default_registry=configuration.default_registry or None
    )
    return Process(configuration, RegistryService(chain, schema_named, journal=state.journal), state)


def usual_sources(environ: Mapping[str, str], system: Path = SYSTEM_HOME) -> list[SourceURL]:
    """What is read where nobody names sources, but for a project's file; the last is the one that is written."""
    files = dict.fromkeys([system / "profiles.yaml", config_home(environ) / "profiles.yaml"])
    database = data_home(environ) / "livery.db"
    return [
        SourceURL("builtin", "", text="builtin:"),
        *(SourceURL("yaml", str(path), optional=True, text=str(path)) for path in files),
        SourceURL("sqlite", str(database), optional=True, text=str(database)),
    ]


def _written(urls: Sequence[SourceURL], writer: str) -> SourceURL | None:
    """Which source is to be written, as far as that can be told without reading any; asked for the state alone.

    What ``--read-only`` forbids does not matter: the state lies where it lay before.
    """
    if writer:
        label = str(parse_source(writer))
        return next((url for url in urls if writer == url.text or label == str(url)), None)
    return next((url for url in reversed(urls) if not url.readonly and url.kind not in _NEVER_WRITTEN), None)


def project_file(cwd: Path) -> Path | None:
    """The nearest ``.livery.yaml`` from a directory up to the root of its repository."""
    for directory in (cwd, *cwd.parents):
        if os.path.isfile(directory / PROJECT_FILE):  # unlike Path's own, these never raise
            return directory / PROJECT_FILE
        if os.path.exists(directory / ".git"):
            return None
    return None


def _project_source(path: Path, state: State) -> Source:
    """A project's file; content that nobody has trusted takes no part, nor does any while nobody can say."""
    url = SourceURL("yaml", str(path), optional=True, text=str(path))

    def is_trusted(token: str) -> bool:
        try:
            return state.is_trusted(path, token)
        except Unavailable:
            return False

    return Source(url, open_store(url), is_trusted=is_trusted)


def active_reference(process: Process, registry: str | None = None) -> Reference | None:
    """The profile that is meant where none is named: the configured one, else the active one of ``livery use``.

    Where the registry that is meant (default: the default one) keeps a pointer of its own, that one counts, else the
    machine's state. An active profile that is no longer there is an error, never a silent default.
    """
    if process.configuration.profile:
        return None
    if process.service.keeps_active_profile(registry):
        return process.service.active_profile(registry)
    active = process.state.active_profile()
    if active is None:
        return None
    try:
        process.service.catalogue.stack(active)
    except (ProfileNotFound, RegistryNotFound) as error:
        raise ProfileNotFound(
            str(active), nearest=error.nearest, where="(the active profile; choose another: livery use NAME)"
        ) from None
    return active
