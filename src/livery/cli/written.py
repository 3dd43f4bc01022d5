"""What the commands that write have in common: who writes, from which version, and what is said afterwards."""

from __future__ import annotations

import os
from collections.abc import Mapping

from livery.cli.output import warn
from livery.cli.selection import Named, named
from livery.cli.session import Session, pass_session
from livery.core.catalogue import RegistryView
from livery.core.profile import Profile
from livery.core.selection import default_registry
from livery.core.stack import ProfileLayer
from livery.errors import ProfileNotFound
from livery.stores.protocols import WriteOptions


@pass_session
def write_options(session: Session, if_version: int | None = None) -> WriteOptions:
    """The circumstances of a write from the command line that runs now."""
    actor = session.configured.values.actor.strip() or login_name(os.environ)
    return WriteOptions(expected_version=if_version, actor=actor)


def login_name(environ: Mapping[str, str]) -> str:
    """Who has signed in here: LOGNAME, USER, else the account of the process, or its number if it has no name."""
    named = (environ.get(name, "").strip() for name in ("LOGNAME", "USER"))
    return next(filter(None, named), "") or _account()


def _account() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"


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
