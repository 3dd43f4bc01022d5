"""Legacy profile maps and older registry documents become today's; the proof resolves every profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from livery.core.diff import diff
from livery.core.profile import Registry, ResolveInput
from livery.core.redact import marked
from livery.core.values import hidden
from livery.errors import AlreadyExists, LiveryError, MigrationDiffers, UsageError, ValidationError
from livery.formats.registry_yaml import OLD_PROFILE_FIELDS, RegistryFile, bundle_document, placed, read_registries
from livery.formats.yaml import write_yaml
from livery.service import RegistryService
from livery.settings import schema_named
from livery.stores.chain import Chain, Source
from livery.stores.files import read_file, replace_file
from livery.stores.memory import MemoryStore
from livery.stores.urls import parse_source

_NOTHING = Registry(slug="")


class MigrationReport(NamedTuple):
    """What a migration did or would do: the new text, whether it is a change, and what to tell a person."""

    text: str
    changed: bool
    lines: tuple[str, ...]


def migrate_registry(
    path: Path, *, output: Path | None = None, in_place: bool = False, dry_run: bool = False
) -> MigrationReport:
    """Convert a file; with ``in_place`` the old one stays beside it as ``.bak``, without a target nothing is written.

    A file that is already in today's form is left as it is, so a second run changes nothing. Raises ValidationError for
    a file with faults, MigrationDiffers where a profile would resolve to something else, AlreadyExists for a taken
    output.
    """
    if output is not None and in_place:
        raise UsageError("give an output file or --in-place, not both")
    data = read_file(path)
    old = read_registries(data, str(path))
    if old.all_faults:
        raise ValidationError.of(placed(old.all_faults, old.document, data, str(path)))
    if not _is_old(old):
        return _copied(path, data, output, dry_run)
    text = write_yaml(_document(old))
    profiles = prove_equal(old, read_registries(text, "the new document"))
    lines = [f"{path}: {_shape_name(old)}, {profiles} profiles resolve to what they did before"]
    lines += _comment_warning(data)
    if not dry_run:
        lines += _write(path, data, text, output, in_place)
    return MigrationReport(text, True, tuple(lines))


def _copied(path: Path, data: bytes, output: Path | None, dry_run: bool) -> MigrationReport:
    """A file that is already in today's form: nothing to do, but a copy is a copy."""
    lines = [f"{path}: already a registry document, nothing to change"]
    if output is not None and not dry_run:
        _write_new(output, data)
        lines.append(f"written: {output}")
    return MigrationReport(data.decode(), False, tuple(lines))


def _shape_name(file: RegistryFile) -> str:
    return {"legacy": "a legacy profile map", "bundle": "an older bundle"}.get(file.shape, "an older registry document")


def _is_old(file: RegistryFile) -> bool:
    if file.shape in ("legacy", "empty"):
        return file.shape == "legacy"
    registries = file.document["registries"].values() if file.shape == "bundle" else [file.document]
    return any(_profile_is_old(profile) for held in registries for profile in (held.get("profiles") or {}).values())


def _profile_is_old(profile: Mapping[str, Any]) -> bool:
    if any(field in profile for field in OLD_PROFILE_FIELDS):
        return True
    bases = profile.get("extends") or ()
    return any(isinstance(base, Mapping) and "profile_slug" in base for base in bases)


def _document(file: RegistryFile) -> dict[str, Any]:
    registries = [read.registry for read in file.registries]
    return bundle_document(registries) if file.shape == "bundle" else registries[0].document()


def _comment_warning(data: bytes) -> Iterator[str]:
    comments = sum(1 for line in data.splitlines() if line.lstrip().startswith(b"#"))
    if comments:
        yield f"comments are not carried over ({comments} in the old file, where they stay)"


def prove_equal(old: RegistryFile, new: RegistryFile) -> int:
    """How many profiles resolve to the same from both files; MigrationDiffers names every leaf that does not."""
    before, after = _by_slug(old), _by_slug(new)
    old_service, new_service = _service(old), _service(new)
    differences: list[str] = []
    for slug in dict.fromkeys([*before, *after]):
        one, other = before.get(slug, _NOTHING), after.get(slug, _NOTHING)
        differences += _lines(slug, _head(one), _head(other))
        for name in dict.fromkeys([*one.profiles, *other.profiles]):
            request = ResolveInput(registry_slug=slug, profile_slug=name)
            documents = [_outcome(service, request) for service in (old_service, new_service)]
            differences += _lines(f"{slug}/{name}", *documents)
    if differences:
        raise MigrationDiffers(differences)
    return sum(len(registry.profiles) for registry in before.values())


def _by_slug(file: RegistryFile) -> dict[str, Registry]:
    return {read.registry.slug: read.registry for read in file.registries}


def _head(registry: Registry) -> dict[str, Any]:
    """What a registry says beside its profiles."""
    return {"slug": registry.slug, **registry.head()}


def _lines(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """The differences of two documents, secrets compared and not shown."""
    schema = schema_named("ai")
    for change in diff(marked((), before, schema), marked((), after, schema)):
        yield f"{what}: {change.path}: {hidden(change.before)!r} became {hidden(change.after)!r}"


def _outcome(service: RegistryService, request: ResolveInput) -> dict[str, Any]:
    """What a profile says and resolves to, secrets included; or its error, which has to stay the same."""
    try:
        resolved = service.resolve_effective_profile(request)
    except LiveryError as error:
        return {"error": f"{error.code}: {error}"}
    written = service.get_profile(request.registry_slug, request.profile_slug or "").document()
    return {
        **{field: value for field, value in written.items() if field not in ("runtime", "extends")},
        "policy": msgspec.to_builtins(resolved.policy),
        "step_settings_patch": resolved.effective_step_settings,
        "system_prompt": resolved.effective_system_prompt,
        "middlewares": resolved.effective_middlewares,
        "tools": resolved.effective_tools,
        "servers": resolved.effective_servers,
        "extensions": resolved.extensions,
    }


def _service(file: RegistryFile) -> RegistryService:
    store = MemoryStore(read.registry for read in file.registries)
    chain = Chain([Source(parse_source("memory:"), store)], schema_named)
    return RegistryService(chain, schema_named)


def _write(path: Path, data: bytes, text: str, output: Path | None, in_place: bool) -> Iterator[str]:
    if output is not None:
        _write_new(output, text.encode())
        yield f"written: {output}"
    elif in_place:
        backup = _backup_path(path, data)
        replace_file(backup, lambda _: data)
        replace_file(path, partial(_replacing, path, data, text.encode()))
        yield f"written: {path}; the old file is {backup}"


def _replacing(path: Path, expected: bytes, new: bytes, found: bytes | None) -> bytes:
    if found != expected:
        raise ValidationError("", f"{path} was changed while it was converted; nothing was written, run it again")
    return new


def _backup_path(path: Path, data: bytes) -> Path:
    """``NAME.bak``, or the first ``NAME.bak.N`` that is free or holds the same already."""
    number = 1
    backup = path.with_name(f"{path.name}.bak")
    while backup.exists() and read_file(backup) != data:
        number += 1
        backup = path.with_name(f"{path.name}.bak.{number}")
    return backup


def _write_new(output: Path, data: bytes) -> None:
    def create(found: bytes | None) -> bytes:
        if found is not None and found != data:
            raise AlreadyExists("file", str(output))
        return data

    replace_file(output, create)
