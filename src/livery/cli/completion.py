"""Completion of names on the command line: quick, and silent whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from livery.service import RegistryService

Completer = Callable[[click.Context, click.Parameter, str], list[Any]]


def _completer(names: Callable[[RegistryService, str], Iterator[tuple[str, str]]]) -> Completer:
    """A completer of names with a line of help each; an error of any kind completes nothing."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        from livery.cli.session import Session

        try:
            session = ctx.find_root().ensure_object(Session)
            session.silent = True
            found = [pair for pair in names(session.service, incomplete) if pair[0].startswith(incomplete)]
        except Exception:
            return []
        return [CompletionItem(name, help=line) for name, line in found]

    return complete


def _profiles(service: RegistryService, incomplete: str) -> Iterator[tuple[str, str]]:
    """The profiles of the default registry by name; those of the others, or all after a ``/``, by reference."""
    default = next((registry.slug for registry in service.list_registries() if registry.is_default), None)
    for profile in service.list_profiles("*"):
        own = profile.registry == default and "/" not in incomplete
        yield profile.slug if own else f"{profile.registry}/{profile.slug}", profile.display_name


def _registries(service: RegistryService, incomplete: str) -> Iterator[tuple[str, str]]:
    return ((registry.slug, registry.display_name) for registry in service.list_registries())


complete_profile = _completer(_profiles)
complete_registry = _completer(_registries)
