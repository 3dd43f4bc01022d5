"""The cards of profiles on the start page, registry by registry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from livery.core.paths import SETTINGS
from livery.core.profile import ResolveInput
from livery.errors import LiveryError
from livery.http.address import Asked
from livery.http.markup import Markup, element
from livery.http.problems import without_credentials
from livery.service import ProfileSummary, RegistryService, RegistrySummary


def registry_name(registry: RegistrySummary) -> str:
    """What a registry is called on the page."""
    name: str = without_credentials(registry.display_name or registry.slug)
    return name


def registry_section(
    service: RegistryService,
    registry: RegistrySummary,
    profiles: list[ProfileSummary],
    asked: Asked,
    base_step_settings: Mapping[str, Any] | None,
) -> Markup:
    """A registry's heading, and a card for each of some profiles of it."""
    heading = element("h2", registry_name(registry), " ", element("code", registry.slug))
    cards = [_card(profile, asked, _model_of(service, profile, base_step_settings)) for profile in profiles]
    return element("section", heading, element("ul", cards, class_="profiles"), class_="registry")


class _Model(NamedTuple):
    """The model that a profile resolves to, or why it resolves to nothing."""

    name: str = ""
    error: str = ""


def _model_of(
    service: RegistryService, profile: ProfileSummary, base_step_settings: Mapping[str, Any] | None
) -> _Model:
    if profile.error:
        return _Model(error=profile.error)
    wanted = ResolveInput(
        registry_slug=profile.registry, profile_slug=profile.slug, base_step_settings=base_step_settings
    )
    try:
        settings = service.resolve_effective_profile(wanted).effective[SETTINGS]
    except LiveryError as error:
        return _Model(error=without_credentials(str(error)))
    chat = settings.get("chat")
    parts = [chat.get("api_type"), chat.get("engine")] if isinstance(chat, Mapping) else []
    return _Model(" · ".join(part for part in parts if isinstance(part, str) and part))


def _card(profile: ProfileSummary, asked: Asked, model: _Model) -> Markup:
    reference = f"{profile.registry}/{profile.slug}"
    link = element(
        "a", profile.display_name or profile.slug, href=asked.link(profile=reference), class_="name",
        aria_current="true" if asked.profile == reference else None, data_registry=profile.registry,
        data_profile=profile.slug,
    )  # fmt: skip
    badges = [("default", profile.is_default), ("read-only", profile.read_only), ("broken", bool(model.error))]
    marks = [element("span", text, class_=f"badge {text}") for text, shown in badges if shown]
    description = element("p", profile.description, class_="description") if profile.description else None
    error = element("p", model.error, class_="error") if model.error else None
    title = element("h3", link, marks)
    facts = element("ul", [element("li", fact) for fact in _facts(profile, asked, model)], class_="facts")
    return element("li", title, description, error, facts, class_="profile")


def _facts(profile: ProfileSummary, asked: Asked, model: _Model) -> Iterator[list[object]]:
    yield [element("code", profile.slug)]
    if model.name:
        yield [element("span", "Model ", class_="unseen"), model.name]
    if profile.version:
        yield [element("span", "Version ", class_="unseen"), f"v{profile.version}"]
    if profile.source:
        yield [element("span", "Source ", class_="unseen"), profile.source]
    for tag in profile.tags:
        yield [element("a", tag, href=asked.link(tag=tag, cursor=""), class_="tag", title=f"Profiles tagged {tag}")]
