"""One run of the command line: what was asked for globally, and what is opened once for all that needs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from livery.config import Configured
    from livery.service import RegistryService
    from livery.startup import Process


_MOST_WARNINGS = 5


class Session:
    """Made for each run. Nothing is read before a command asks for it, and nothing is read twice."""

    def __init__(self) -> None:
        self.flags: dict[str, Any] = {}
        """The global options that were given, by name; see :mod:`livery.cli.global_options`."""
        self.read_only = False
        """Whether no source is written, whoever asks."""
        self.silent = False
        """Whether nothing is said beside the result: completion runs while a person types."""

    @property
    def registry(self) -> str | None:
        """The registry that was named with ``--registry``."""
        return self.flags.get("registry")

    @property
    def debug(self) -> bool:
        return bool(self.flags.get("debug"))

    @property
    def verbose(self) -> bool:
        return bool(self.flags.get("verbose"))

    @property
    def color(self) -> bool:
        """Whether a terminal may be given colours and styles."""
        return not (self.flags.get("no_color") or os.environ.get("NO_COLOR"))

    @cached_property
    def configured(self) -> Configured:
        """The configuration of this process, with the origin of every field."""
        from livery.config import load_configuration

        fields = ("sources", "writer", "default_registry", "profile", "host", "port")
        flags = {name: self.flags.get(name) for name in fields}
        return load_configuration(flags, os.environ, Path.cwd(), self.flags.get("config"))

    @cached_property
    def process(self) -> Process:
        """Registries and state."""
        from livery.startup import start

        return start(self.configured.values, os.environ, Path.cwd(), read_only=self.read_only)

    @cached_property
    def service(self) -> RegistryService:
        """The registries, read; what takes no part in them is told once."""
        from livery.cli.output import note, warn

        service, warnings = self.process.service, self.process.warnings
        if not self.silent:
            for warning in warnings[:_MOST_WARNINGS]:
                warn(warning)
            if len(warnings) > _MOST_WARNINGS:
                warn(f"{len(warnings) - _MOST_WARNINGS} more: livery validate")
        if self.verbose:
            for path in self.configured.files:
                note(f"configuration: {path}")
            for source in service.sources:
                note(f"source: {source.label}{' (written)' if source is service.writer else ''}")
        self.known_warnings = frozenset(_warnings(service))
        return service

    def new_warnings(self, registry: str, profile: str) -> list[str]:
        """What a write has given reason to warn of, about one profile."""
        found = [warning for warning in _warnings(self.service) if warning[:2] == (registry, profile)]
        return [warning[2] for warning in found if warning not in self.known_warnings]


def _warnings(service: RegistryService) -> Iterator[tuple[str, str, str]]:
    """What deserves a warning now: the registry, the profile, the text."""
    for finding in service.findings:
        if not finding.blocking:
            yield finding.registry, finding.profile, str(finding.fault)


pass_session = click.make_pass_decorator(Session, ensure=True)
