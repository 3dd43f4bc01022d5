"""Environment variables that profiles name and that are not set: whoever starts the servers would miss them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from livery.core.catalogue import Catalogue
from livery.core.check import Finding
from livery.core.profile import RuntimeSpec
from livery.core.variables import substituted
from livery.errors import Fault


def unset_variables(catalogue: Catalogue, environ: Mapping[str, str]) -> list[Finding]:
    """A warning for each place that names a variable which is not set and has no default, in layouts that have them."""
    return [
        Finding(registry, profile, source, Fault(field, f"the environment variable {name!r} is not set{where}"), False)
        for registry, profile, source, root, runtime in _runtimes(catalogue)
        for field, where, text in _texts(runtime, root)
        for name in _needed(text)
        if name not in environ
    ]


def as_written(finding: Finding) -> Finding:
    """The finding with the field as the file of such a layout has it: ``servers[0].cmd[1]``."""
    field = finding.fault.field.rpartition("].runtime.")[2].removeprefix("registry.enforced.")
    return finding._replace(fault=finding.fault._replace(field=field.removeprefix("step_settings_patch.")))


def _runtimes(catalogue: Catalogue) -> Iterator[tuple[str, str, str, str, RuntimeSpec]]:
    for view in catalogue.registries.values():
        if not view.schema.variables:
            continue
        for head in view.layers:
            yield view.slug, "", head.source, "registry.enforced", head.head.enforced
        for stack in view.profiles.every():
            for layer in stack.layers if stack.fault is None else ():
                field = f"registry.profiles[{stack.reference.profile}].runtime"
                yield *stack.reference, layer.source, field, layer.profile.runtime


def _texts(runtime: RuntimeSpec, field: str) -> Iterator[tuple[str, str, str]]:
    """Every text of a runtime: its field, of which server it is, and the text."""
    for name, value in runtime.given().items():
        if name == "servers" and isinstance(value, list):
            for position, server in enumerate(value):
                where = f" (server {server.get('name')!r})"
                yield from ((path, where, text) for path, text in _leaves(server, f"{field}.servers[{position}]"))
        else:
            yield from ((path, "", text) for path, text in _leaves(value, f"{field}.{name}"))


def _leaves(value: Any, field: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield from _leaves(child, f"{field}.{key}")
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _leaves(item, f"{field}[{position}]")


def _needed(text: str) -> list[str]:
    """The variables of a text that have no default."""
    names: dict[str, None] = {}

    def note(name: str, default: str | None) -> str:
        if default is None:
            names[name] = None
        return ""

    substituted(text, note)
    return list(names)
