"""Which profile a command means: named, configured, active, or the default; and where that choice comes from."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from livery.cli.assignments import overrides_of
from livery.cli.output import note
from livery.cli.session import Session
from livery.core.names import Reference, parse_reference, profile_slug, registry_slug
from livery.core.profile import ResolveInput
from livery.errors import ProfileNotFound, UsageError
from livery.settings import schema_named
from livery.startup import active_reference


class Named(NamedTuple):
    """A profile as a person names it; without a registry it is looked for (reads) or in the default one (writes)."""

    registry: str | None
    slug: str


class Choice(NamedTuple):
    """What to resolve, and where the choice of it comes from."""

    request: ResolveInput
    origin: str


def named(session: Session, name: str) -> Named:
    """The profile that an argument names; ``REGISTRY/NAME`` and ``--registry`` must not contradict each other."""
    asked = registry_slug(session.registry, "--registry") if session.registry else None
    if "/" not in name:
        return Named(asked, profile_slug(name, "name"))
    reference = parse_reference(name, "", "name")
    if asked not in (None, reference.registry):
        raise UsageError(f"{name!r} is not in the registry of --registry ({asked})")
    return Named(*reference)


def choose(
    session: Session, name: str | None = None, caller: str | None = None, assignments: tuple[str, ...] = ()
) -> Choice:
    """The profile of ``NAME``, else of --profile, a caller, LIVERY_PROFILE or livery.toml, ``livery use``, the default.

    ``assignments`` are the request's own overrides (KEY=VALUE). The base settings of the configuration lie under all.
    """
    registry, profile, origin = _chosen(session, name, caller)
    if session.verbose:
        note(f"profile: chosen by {origin}")
    request = ResolveInput(
        registry_slug=registry,
        profile_slug=profile,
        caller=caller if profile is None else None,
        base_step_settings=session.configured.values.base or None,
    )
    if profile is not None and not name:
        _demand_found(session, request, origin)
    if assignments:
        found = session.service.select(request).reference
        schema = session.service.catalogue.view(found.registry).schema if found else schema_named("ai")
        request = replace(request, request_overrides=overrides_of(assignments, schema))
    return Choice(request, origin)


def _demand_found(session: Session, request: ResolveInput, origin: str) -> None:
    """ProfileNotFound that says who has named the profile, where that was not the command's own argument."""
    try:
        session.service.select(request)
    except ProfileNotFound as error:
        where = f"{error.where} (named by {origin})".strip()
        raise ProfileNotFound(error.name, nearest=error.nearest, where=where) from None


def _chosen(session: Session, name: str | None, caller: str | None) -> tuple[str | None, str | None, str]:
    values, origins, _ = session.configured
    if name:
        return *named(session, name), "the command line"
    if origins["profile"] == "--profile":
        return *named(session, values.profile), "--profile"
    if caller:
        return session.registry, None, f"the caller {caller!r}"
    if values.profile:
        found = Named(*_split(values.profile))
        if _is_in(found.registry, session.registry):
            return found.registry or session.registry, found.slug, origins["profile"]
    active: Reference | None = active_reference(session.process, session.registry)
    if active is not None and _is_in(active.registry, session.registry):
        return *active, "the active profile, chosen with livery use"
    return session.registry, None, "the default of the registry"


def _split(name: str) -> tuple[str | None, str]:
    registry, slash, profile = name.rpartition("/")
    return registry if slash else None, profile


def _is_in(registry: str | None, asked: str | None) -> bool:
    """Whether a choice that was made elsewhere counts where ``--registry`` names one."""
    return asked is None or registry is None or registry == asked.strip().lower()
