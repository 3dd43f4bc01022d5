"""What the commands that write have in common: who writes, from which version, and what is said afterwards."""

from __future__ import annotations

import os

from livery.cli.output import warn
from livery.cli.selection import Named, named
from livery.cli.session import Session
from livery.core.catalogue import RegistryView
from livery.core.profile import Profile
from livery.core.selection import default_registry
from livery.core.stack import ProfileLayer
from livery.errors import ProfileNotFound
from livery.stores.protocols import WriteOptions


def write_options(if_version: int | None = None) -> WriteOptions:
    """The circumstances of a write from this command line."""
    actor = os.environ.get("USER") or os.environ.get("LOGNAME") or ""
    return WriteOptions(expected_version=if_version, actor=actor)


def view_of(session: Session, who: Named) -> RegistryView:
    """The registry that a write of a profile goes to."""
    catalogue = session.service.catalogue
    return catalogue.view(who.registry or default_registry(catalogue) or "default")


def layers_of(view: RegistryView, slug: str) -> tuple[ProfileLayer, ...]:
    """What each source says of a profile, also of one with faults: a write may mend them."""
    stack = view.profiles.get(slug)
    return stack.layers if stack is not None and stack.layers else view.stack(slug).layers


def existing(session: Session, name: str) -> Named:
    """The profile that a write is about. Writes never search; one that stands in another registry is suggested."""
    who = named(session, name)
    view = view_of(session, who)
    if who.registry is None and who.slug not in view.profiles:
        others = [f"{slug}/{who.slug}" for slug, other in session.service.catalogue.registries.items()
                  if who.slug in other.profiles]  # fmt: skip
        if others:
            raise ProfileNotFound(f"{view.slug}/{who.slug}", nearest=others)
    return who


def told(session: Session, profile: Profile, done: str) -> str:
    """One line about a profile that was written."""
    for warning in session.new_warnings(*profile.reference):
        warn(warning)
    writer = session.service.writer
    where = f" ({writer.label})" if writer else ""
    return f"{profile.reference} {done}, version {profile.version}{where}"
