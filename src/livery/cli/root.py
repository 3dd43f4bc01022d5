"""The tree of commands: which there are, and how an error leaves it. A command's module is imported when it runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from livery import __version__
from livery.cli.command import LazyGroup
from livery.cli.failures import exit_code_of
from livery.cli.session import Session

COMMANDS = {
    "profile": ("profile", "List, show, change and compare profiles."),
    "resolve": ("resolve", "Show the effective runtime of a profile, and why it is so."),
    "use": ("use", "Make a profile the active one."),
    "current": ("current", "Show which profile is meant where none is named, and why."),
    "run": ("run", "Run a command with the settings of a profile as environment."),
    "chat": ("chat", "Talk to a profile."),
    "registry": ("registry", "List, show, create and delete registries."),
    "caller": ("caller", "Which profile a client gets."),
    "source": ("source", "Where profiles come from."),
    "store": ("store", "Make a profile store, a directory with a file for each profile."),
    "trust": ("trust", "Trust a project's profile file as it is now."),
    "validate": ("validate", "Find every fault of sources."),
    "watch": ("watch", "Print changes of profiles as they happen."),
    "audit": ("audit", "Show who has changed what, and when."),
    "history": ("history", "How much of what was is kept."),
    "export": ("export", "Write registries as one document, without secrets."),
    "import": ("import_", "Bring registries in from a document or another source."),
    "migrate": ("migrate", "Convert older files, with proof."),
    "serve": ("serve", "Start the HTTP service and its pages."),
    "config": ("config", "How this process is configured."),
    "completion": ("completion", "Print the completion script of a shell."),
}
"""Each command with its module in :mod:`livery.cli.commands` and the line that ``livery --help`` shows."""


class Livery(LazyGroup):
    """The root: the only place where errors become messages and exit codes."""

    def main(self, args: Sequence[str] | None = None, **more: Any) -> NoReturn:  # type: ignore[override]
        """Run the command line and leave the process with its exit code."""
        session = Session()
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a name may hold any bytes

        def run() -> int:
            result = super(Livery, self).main(
                args, **{**more, "prog_name": "livery", "standalone_mode": False, "obj": session}
            )
            return result if isinstance(result, int) else 0

        sys.exit(exit_code_of(run, session))


@click.group(
    "livery",
    cls=Livery,
    package="livery.cli.commands",
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, message="livery %(version)s")
def livery() -> None:
    """Named, layered, policy-guarded runtime profiles for AI applications.

    A profile names a model, its settings, a prompt, tools and servers. Profiles come from sources that are laid over
    one another; `livery resolve --explain` shows which value won, and where it came from.
    """
