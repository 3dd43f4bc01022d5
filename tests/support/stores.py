"""Profile stores on disk: what stands in one, and the registry that it is."""

from __future__ import annotations

from pathlib import Path

from livery.core.profile import ResolveInput
from livery.core.resolved import ResolvedProfile
from livery.library import open_registry
from livery.service import RegistryService


def contents(directory: Path) -> dict[str, str]:
    """The text of every file below a directory, by its path in it."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes().decode() for path in files}


def opened_store(directory: Path) -> RegistryService:
    return open_registry(f"profile-store:{directory}?registry=store")


def seen_by(directory: Path, caller: str | None) -> ResolvedProfile:
    """What a caller gets of a store."""
    return opened_store(directory).resolve_effective_profile(ResolveInput(registry_slug="store", caller=caller))


def server_names(directory: Path, caller: str | None) -> list[str]:
    return [server["name"] for server in seen_by(directory, caller).effective_servers]
