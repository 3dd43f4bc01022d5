"""Commands and groups that take the global options in every position; groups that load their commands when they run."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from livery.cli.global_options import global_options


class Command(click.Command):
    """A command that takes the global options too; its help does not repeat them."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return _with_globals(super().get_params(ctx), ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        formatter.write_paragraph()
        formatter.write_text("The global options (livery --help) can be given here too.")


class Group(click.Group):
    """A group of :class:`Command`."""

    command_class = Command

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return _with_globals(super().get_params(ctx), ctx)


def _with_globals(params: list[click.Parameter], ctx: click.Context) -> list[click.Parameter]:
    own = {name for param in params for name in param.opts}
    more = (option for option in global_options(hidden=ctx.parent is not None) if own.isdisjoint(option.opts))
    return [*params, *more]


class LazyGroup(Group):
    """A group whose subcommands are imported when they run; its help needs none of them.

    ``lazy`` maps a name to its module in ``package``, which holds it under the same name (a ``-`` as ``_``), and to
    its line of help.
    """

    def __init__(self, *args: Any, package: str, lazy: Mapping[str, tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self.package = package
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return None
        module = import_module(f"{self.package}.{self.lazy[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self.lazy and not ctx.resilient_parsing:
            from difflib import get_close_matches

            close = get_close_matches(args[0], self.lazy, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(self.lazy)}"
            ctx.fail(f"there is no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in self.lazy.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        names = [
            CompletionItem(name, help=line) for name, (_, line) in self.lazy.items() if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]
