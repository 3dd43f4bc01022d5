"""Which profile a request means: named exactly, searched for, mapped from its caller, or the default."""

from __future__ import annotations

from typing import Literal, NamedTuple

from livery.core.catalogue import Catalogue, RegistryView
from livery.core.names import Reference, nearest, parse_reference, profile_slug, registry_slug
from livery.core.profile import ResolveInput
from livery.errors import CallerDenied, ProfileNotFound

How = Literal["exact", "search", "registry default", "caller", "default", "base only"]


class Selection(NamedTuple):
    """The profile that a request means (None: there is none, base settings alone), how it was found, what to warn of.

    ``fallback`` is true where an unknown caller got the default profile.
    """

    reference: Reference | None
    how: How
    warnings: tuple[str, ...] = ()
    fallback: bool = False


def select(request: ResolveInput, catalogue: Catalogue) -> Selection:
    """The selection of a request; RegistryNotFound, ProfileNotFound or CallerDenied where there is none."""
    registry, profile = _named(request)
    if profile is not None:
        if registry is not None:
            return Selection(Reference(registry, profile), "exact")
        return _search(profile, catalogue)
    caller = (request.caller or "").strip()
    if registry is None and not caller and default_registry(catalogue) is None:
        catalogue.demand_complete()
        return Selection(None, "base only")
    view = catalogue.view(registry) if registry is not None else _default_view(catalogue)
    if caller:
        return _of_caller(caller, view)
    return _default_of(view, "default" if registry is None else "registry default")


def _named(request: ResolveInput) -> tuple[str | None, str | None]:
    """Registry and profile as slugs; a profile may be written ``registry/profile``."""
    registry = registry_slug(request.registry_slug, "registry_slug") if request.registry_slug else None
    if not request.profile_slug:
        return registry, None
    if "/" in request.profile_slug and registry is None:
        return parse_reference(request.profile_slug, "", "profile_slug")
    return registry, profile_slug(request.profile_slug, "profile_slug")


def default_registry(catalogue: Catalogue) -> str | None:
    """The configured one, else the one named ``default``, else the first of the topmost source that has any."""
    if catalogue.configured_default:
        return catalogue.configured_default
    if "default" in catalogue.registries or "default" in catalogue.unavailable:
        return "default"
    return next((slug for slug in (*catalogue.registries, *catalogue.unavailable) if slug is not None), None)


def _default_view(catalogue: Catalogue) -> RegistryView:
    return catalogue.view(default_registry(catalogue) or "default")


def _search(profile: str, catalogue: Catalogue) -> Selection:
    first = default_registry(catalogue)
    order = [first] if first else []
    order += [slug for slug in catalogue.registries if slug != first]
    for slug in order:
        if profile in catalogue.view(slug).profiles:
            return Selection(Reference(slug, profile), "exact" if slug == first else "search")
    for fault in catalogue.unavailable.values():  # the profile may stand where nobody could look
        raise fault.with_traceback(None)
    known = [name for view in catalogue.registries.values() for name in view.names_like(profile)]
    raise ProfileNotFound(profile, nearest=nearest(profile, known), where="in any registry")


def _of_caller(caller: str, view: RegistryView) -> Selection:
    mapped = view.head.callers.get(caller)
    if mapped is not None:
        return Selection(Reference(view.slug, mapped), "caller")
    if view.head.fallback == "deny":
        raise CallerDenied(caller, view.slug)
    return _default_of(view, "caller")._replace(fallback=True)


def _default_of(view: RegistryView, how: How) -> Selection:
    slug, warning = view.default_profile
    if slug is None:
        raise ProfileNotFound(f"{view.slug}/default", where="(the registry has no profiles)")
    return Selection(Reference(view.slug, slug), how, (warning,) if warning else ())
