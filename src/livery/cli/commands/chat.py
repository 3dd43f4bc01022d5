"""``livery chat``: one question or a conversation with a profile."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from typing import Any

import click

from livery.cli.command import Command
from livery.cli.failures import messages_of
from livery.cli.options import set_option
from livery.cli.output import emit, note, printable, style, warn
from livery.cli.selection import choose
from livery.cli.session import Session, pass_session
from livery.core.resolved import ResolvedProfile
from livery.errors import LiveryError, UsageError

_HELP = "/profile NAME goes on with another profile, /profile alone shows which it is, /quit ends (so does Ctrl-D)."


@click.command("chat", cls=Command)
@click.argument("prompt", nargs=-1)
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print each event of the answer as a line of JSON.")
@pass_session
def chat_command(session: Session, prompt: tuple[str, ...], assignments: tuple[str, ...], as_json: bool) -> None:
    """Ask the profile of --profile, or the active one, and print its answer as it comes.

    PROMPT is what to say; without it standard input is read. In a terminal without PROMPT a conversation begins.
    """
    if prompt or not sys.stdin.isatty():
        text = " ".join(prompt) if prompt else sys.stdin.buffer.read().decode(errors="replace")
        _answer(_resolved(session, None, assignments), text, [], as_json)
    elif as_json:
        raise UsageError("a conversation in the terminal has no form as JSON; give a PROMPT")
    else:
        Conversation(session, assignments).run()


def _resolved(session: Session, name: str | None, assignments: tuple[str, ...]) -> ResolvedProfile:
    resolved = session.service.resolve_effective_profile(choose(session, name, assignments=assignments).request)
    for warning in resolved.warnings:
        warn(warning)
    return resolved


def _answer(resolved: ResolvedProfile, prompt: str, history: list[Any], as_json: bool) -> str:
    """Print an answer piece by piece and give it back as a whole."""
    import msgspec

    from livery.chat.engines import TextDelta
    from livery.chat.oneshot import stream_events

    if as_json:
        emit(msgspec.json.encode({"type": "started", **resolved.metadata}).decode())
    pieces: list[str] = []
    with closing(stream_events(resolved, prompt, os.environ, history)) as events:
        for event in events:
            if as_json:
                emit(msgspec.json.encode(event).decode())
            elif isinstance(event, TextDelta):
                click.echo(printable(event.text), nl=False)
                sys.stdout.flush()
            if isinstance(event, TextDelta):
                pieces.append(event.text)
    if not as_json and not (pieces and pieces[-1].endswith("\n")):
        emit("")
    return "".join(pieces)


class Conversation:
    """A conversation in the terminal. The profile is resolved anew for each turn, so that an edit counts at once."""

    def __init__(self, session: Session, assignments: tuple[str, ...]) -> None:
        self.session = session
        self.assignments = assignments
        self.name: str | None = None
        self.history: list[Any] = []

    def run(self) -> None:
        """Read and answer until the person ends it."""
        self._say_who(_resolved(self.session, None, self.assignments))
        note(_HELP)
        while True:
            try:
                text = input(style("> ", self.session.color, bold=True)).strip()
            except EOFError:
                emit("")
                return
            if text in ("/quit", "/exit"):
                return
            if text:
                self._turn(text)

    def _turn(self, text: str) -> None:
        """One turn; what goes wrong in it does not end the conversation."""
        try:
            if text.startswith("/"):
                self._command(*text.split(maxsplit=1))
            else:
                self._say(text)
        except LiveryError as error:
            for message in messages_of(error):
                note(f"error: {message}")
        except KeyboardInterrupt:
            note("\n(stopped)")

    def _command(self, command: str, argument: str = "") -> None:
        if command != "/profile":
            note(_HELP)
            return
        name = argument.strip() or self.name
        self._say_who(_resolved(self.session, name, self.assignments))
        self.name = name

    def _say_who(self, resolved: ResolvedProfile) -> None:
        note(f"talking to {resolved.registry_slug}/{resolved.profile_slug}")

    def _say(self, text: str) -> None:
        from livery.chat.engines import Message

        self.session.service.refresh()
        answer = _answer(_resolved(self.session, self.name, self.assignments), text, self.history, as_json=False)
        self.history += [Message("user", text), Message("assistant", answer)]
