"""``livery completion``: the completion script of a shell."""

from __future__ import annotations

import click

from livery.cli.command import Command
from livery.cli.output import emit


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell; it completes commands, options and the names of profiles.

    \b
    bash: livery completion bash >~/.local/share/bash-completion/completions/livery
    zsh:  livery completion zsh >"${fpath[1]}/_livery"
    fish: livery completion fish >~/.config/fish/completions/livery.fish
    """
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    assert script is not None
    emit(script(ctx.find_root().command, {}, "livery", "_LIVERY_COMPLETE").source().rstrip("\n"))
