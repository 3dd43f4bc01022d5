"""``livery profile``: reading, comparing, writing and editing profiles."""

from __future__ import annotations

import click

from livery.cli.command import LazyGroup

_COMMANDS = {
    "list": ("reading", "List the profiles of a registry."),
    "show": ("reading", "Show a profile as it is stored."),
    "check": ("reading", "Say what a profile lacks before it can be used."),
    "diff": ("comparing", "Show how two profiles differ."),
    "history": ("history", "List the changes of a profile."),
    "rollback": ("history", "Give a profile the content of an earlier version."),
    "create": ("creating", "Create a profile."),
    "copy": ("creating", "Create a profile with the content of another."),
    "set": ("writing", "Set fields of a profile."),
    "unset": ("writing", "Remove fields from a profile."),
    "edit": ("editing", "Edit a profile with $EDITOR."),
    "rename": ("writing", "Give a profile another name; what names it follows."),
    "delete": ("writing", "Delete a profile."),
    "default": ("writing", "Make a profile the default of its registry."),
}


@click.group("profile", cls=LazyGroup, package=__name__, lazy=_COMMANDS)
def profile_command() -> None:
    """List, show, change and compare profiles.

    A profile is named NAME or REGISTRY/NAME. Reads look for a bare name in the default registry, then in the others;
    writes never search.
    """
