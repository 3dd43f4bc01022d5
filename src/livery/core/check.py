"""Is everything in order? One function over a whole catalogue, asked on load, before a write, and by ``validate``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from msgspec import UNSET

from livery.core.catalogue import Catalogue, RegistryLayer, RegistryView
from livery.core.layers import prepare, settled
from livery.core.lineage import check_graph
from livery.core.names import Reference, nearest, unknown_field
from livery.core.overrides import setting_faults
from livery.core.paths import SETTINGS, Path, snake_case
from livery.core.patterns import pattern
from livery.core.profile import PolicySpec, Profile, RuntimeSpec
from livery.core.schema import SettingsSchema
from livery.core.stack import ProfileLayer
from livery.errors import Fault, LineageError, SourceUnavailable


class Finding(NamedTuple):
    """One thing wrong in a catalogue: what it concerns (``profile`` empty: the registry), its source, and the fault.

    ``blocking`` findings make the profile unusable; the others are warnings.
    """

    registry: str
    profile: str
    source: str
    fault: Fault
    blocking: bool = True


def check(catalogue: Catalogue) -> list[Finding]:
    """Every finding over all registries, in a stable order; of profiles, of those that are held and were read."""
    findings: list[Finding] = []
    for view in catalogue.registries.values():
        with suppress(SourceUnavailable):  # its source says so; it is checked when that is back
            findings += check_registry(view)
        for stack in view.profiles.held:
            for layer in stack.layers if stack.is_examined else ():
                findings += check_profile(layer, view) if layer.is_read else ()
    held = (stack.reference for view in catalogue.registries.values() for stack in view.profiles.held)
    return findings + check_lineages(catalogue, held)


def check_lineages(catalogue: Catalogue, references: Iterable[Reference]) -> list[Finding]:
    """The references of some profiles that cannot be followed."""
    errors = check_graph(references, catalogue.bases_at_hand, catalogue.names_like)
    return [_of_lineage(error, catalogue) for error in errors]


def check_profile(layer: ProfileLayer, view: RegistryView) -> list[Finding]:
    """What is wrong with one source's document of a profile, lineage apart."""
    if layer.checked is None or layer.checked[:2] != (view.schema, view.extension_schemas):
        layer.checked = (view.schema, view.extension_schemas, _profile_findings(layer, view))
    found: list[Finding] = layer.checked[2]
    return found


def _profile_findings(layer: ProfileLayer, view: RegistryView) -> list[Finding]:
    profile = layer.profile
    field = f"registry.profiles[{profile.slug}].runtime"
    faults, warnings = _runtime_faults(profile.runtime, profile.extensions, view, field)
    faults = [*faults, *_pattern_faults(profile.policy, view.schema, f"registry.profiles[{profile.slug}].policy")]
    where = (profile.registry, profile.slug, layer.source)
    return [Finding(*where, fault) for fault in faults] + [Finding(*where, w, blocking=False) for w in warnings]


def profile_faults(profile: Profile, view: RegistryView) -> list[Fault]:
    """The same for a profile that is not stored yet, warnings left out."""
    field = f"registry.profiles[{profile.slug}].runtime"
    faults = _runtime_faults(profile.runtime, profile.extensions, view, field)[0]
    return [*faults, *_pattern_faults(profile.policy, view.schema, f"registry.profiles[{profile.slug}].policy")]


def _pattern_faults(policy: PolicySpec, schema: SettingsSchema, field: str) -> Iterator[Fault]:
    """The patterns that cover nothing there is: a misspelt one would leave open what it was to close."""
    lists = {"allowed_override_keys": policy.allowed_override_keys, "denied_override_keys": policy.denied_override_keys}
    for name, keys in lists.items():
        for position, key in enumerate(keys if keys is not UNSET else ()):
            unknown = _unknown_part(pattern(key)[0], schema)
            if unknown is not None:
                yield Fault(f"{field}.{name}[{position}]", f"covers no setting: {unknown}")


def _unknown_part(path: Path, schema: SettingsSchema) -> str | None:
    """What is wrong with the folded path of a pattern; None where it leads to something."""
    if path[:1] != (SETTINGS,):
        return None
    at: Path = ()
    for part in path[1:]:
        known = {snake_case(name): name for name in (schema.node(at) or {}).get("properties", ())}
        at = (*at, known.get(part, part))
        if schema.node(at) is None:
            return unknown_field(part, known)
    return None


def _runtime_faults(
    runtime: RuntimeSpec, extensions: dict[str, object], view: RegistryView, field: str
) -> tuple[list[Fault], list[Fault]]:
    document = runtime.given()
    if extensions:
        document["extensions"] = extensions
    if not document:
        return [], []
    values, faults, warnings = prepare(document, view.schema, field)
    settings = values.get(SETTINGS)
    faults = faults + setting_faults(settings, view.schema, f"{field}.{SETTINGS}")
    if extensions and not faults:
        where = f"{field.removesuffix('.runtime')}.extensions"
        faults = view.extension_schemas.faults(settled(values["extensions"]), where)
    return faults, [Fault(field, warning) for warning in warnings]


def check_registry(view: RegistryView) -> list[Finding]:
    """What is wrong with the registry-level fields: runtimes, the default profile, callers of missing profiles."""
    findings: list[Finding] = []
    for layer in view.layers:
        findings += [Finding(view.slug, "", layer.source, fault) for fault in head_faults(layer, view)]
        findings += [Finding(view.slug, "", layer.source, w, blocking=False) for w in _head_warnings(layer, view)]
    default = view.head.default_profile_slug
    last = view.layers[-1].source if view.layers else ""
    if default and default not in view.profiles:
        reason = f"there is no profile {default!r}{_hint(default, view)}"
        findings.append(Finding(view.slug, "", last, Fault("registry.default_profile_slug", reason)))
    warning = _default_warning(view)
    if warning:
        findings.append(Finding(view.slug, "", last, Fault("registry.default_profile_slug", warning), blocking=False))
    for caller, slug in sorted(view.head.callers.items()):
        if slug not in view.profiles:
            reason = f"there is no profile {slug!r}{_hint(slug, view)}"
            findings.append(Finding(view.slug, "", last, Fault(f"registry.callers[{caller}]", reason)))
    return findings


def _default_warning(view: RegistryView) -> str | None:
    """What to warn of where nobody names a default profile; nothing while a source cannot say what there is."""
    try:
        return view.default_profile[1]
    except SourceUnavailable:
        return None


def head_faults(layer: RegistryLayer, view: RegistryView) -> Iterator[Fault]:
    """What is wrong with the runtimes of one source's registry document."""
    for name, runtime in _head_runtimes(layer):
        yield from _runtime_faults(runtime, {}, view, name)[0]


def _head_warnings(layer: RegistryLayer, view: RegistryView) -> Iterator[Fault]:
    for name, runtime in _head_runtimes(layer):
        yield from _runtime_faults(runtime, {}, view, name)[1]


def _head_runtimes(layer: RegistryLayer) -> Iterator[tuple[str, RuntimeSpec]]:
    yield "registry.defaults", layer.head.defaults
    yield "registry.enforced", layer.head.enforced


def _hint(slug: str, view: RegistryView) -> str:
    close = nearest(slug, view.names_like(slug), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _of_lineage(error: LineageError, catalogue: Catalogue) -> Finding:
    at = Reference(*error.chain[-2].split("/", 1))
    stack = catalogue.registries[at.registry].profiles[at.profile]
    return Finding(at.registry, at.profile, stack.layers[-1].source, Fault(error.field, error.reason))
