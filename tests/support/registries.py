"""Registries in real files and in memory, opened as programs open them."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from livery.core.profile import ResolveInput
from livery.core.resolved import ResolvedProfile
from livery.library import open_registry
from livery.service import RegistryService
from livery.stores.protocols import WriteOptions

ALICE = WriteOptions(actor="alice", source="seed", at_ms=1_000)
BOB = WriteOptions(actor="bob", source="api", at_ms=2_000)


def write(path: Path, text: str) -> Path:
    """A file with a dedented text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


@contextmanager
def without_power() -> Iterator[None]:
    """As a user to whom something can be forbidden, where the tests run as root."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def expecting(version: int) -> WriteOptions:
    return BOB._replace(expected_version=version)


def opened(*sources: Path | str, **options: Any) -> RegistryService:
    """The registries of some files or URLs, later over earlier."""
    return open_registry(*map(str, sources), **options)


def resolved(service: RegistryService, profile: str | None = None, **request: Any) -> ResolvedProfile:
    return service.resolve_effective_profile(ResolveInput(profile_slug=profile, **request))


def engine(service: RegistryService, profile: str | None = None, **request: Any) -> Any:
    """The engine that a profile resolves to: the value by which these tests tell sources apart."""
    return resolved(service, profile, **request).effective_step_settings["chat"].get("engine")


def settings(**chat: Any) -> dict[str, Any]:
    """A profile document that sets some fields of ``chat``."""
    return {"runtime": {"step_settings_patch": {"chat": chat}}}
