"""``chat``: with the engine that answers offline."""

from __future__ import annotations

import json
import os
import pty
import select
import sys
import time

import pytest

from tests.cli.conftest import MAIN, SOURCE


def test_a_prompt_is_answered(livery, team) -> None:
    result = livery("chat", "-p", "team/base", "hello", "there")
    assert (result.exit_code, result.stdout) == (0, "team/base: hello there\n")


def test_standard_input_is_answered(livery, folder) -> None:
    assert livery("chat", stdin="what now?").stdout == "default/default: what now?\n"


def test_events_are_lines_of_json(livery, folder) -> None:
    events = [json.loads(line) for line in livery("chat", "--json", "hi").stdout.splitlines()]
    assert [event["type"] for event in events] == ["started", "text", "text", "usage", "finished"]
    assert events[0]["profile.runtime_fingerprint"].startswith("lv1:sha256:")


def test_overrides_are_decided_by_the_policy(livery, team) -> None:
    assert livery("chat", "-p", "team/base", "--set", "chat.temperature=1", "hi").exit_code == 0
    assert livery("chat", "-p", "team/base", "--set", "chat.engine=x", "hi").exit_code == 5


def test_an_empty_prompt_is_refused(livery, folder) -> None:
    result = livery("chat", stdin="  \n")
    assert result.exit_code == 4 and "prompt" in result.stderr


def test_what_keeps_a_profile_from_answering_is_said(livery, team) -> None:
    livery("profile", "set", "team/base", "chat.api_type=openai")
    result = livery("chat", "-p", "team/base", "hi")
    assert result.exit_code == 7 and "env:TEAM_KEY" in result.stderr and result.stdout == ""


def in_terminal(args: list[str], script: list[tuple[str, str]]) -> tuple[str, int]:
    """A command in a terminal: each time a text appears something is typed. The screen, and the exit code."""
    pid, screen = pty.fork()
    if pid == 0:
        os.environ.update(PYTHONPATH=str(SOURCE), TERM="dumb")
        os.execv(sys.executable, [sys.executable, "-c", MAIN, *args])
    shown, seen, end = "", 0, time.monotonic() + 20
    while time.monotonic() < end:
        if select.select([screen], [], [], 0.05)[0]:
            try:
                piece = os.read(screen, 65536)
            except OSError:  # the other side has closed it
                break
            shown += piece.decode()
        if script and script[0][0] in shown[seen:]:
            seen = len(shown)
            time.sleep(0.2)  # a person is slower too: between the prompt and the reading a Ctrl-C is not seen
            os.write(screen, script.pop(0)[1].encode())
    else:
        os.kill(pid, 9)
    os.close(screen)
    return shown.replace("\r\n", "\n"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a terminal")
def test_a_conversation_in_the_terminal(team) -> None:
    typed = ["hello", "/profile team/base", "again", "/profile nope", "/what", "/quit"]
    shown, code = in_terminal(["chat"], [("> ", f"{line}\n") for line in typed])
    assert code == 0
    assert "default/default: hello" in shown and "talking to team/base" in shown and "team/base: again" in shown
    assert "error: profile 'nope' not found" in shown and "/quit ends" in shown


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a terminal")
@pytest.mark.parametrize(("key", "code", "said"), [("\x04", 0, ""), ("\x03", 130, "interrupted")])
def test_a_conversation_ends_at_a_key(team, key: str, code: int, said: str) -> None:
    shown, found = in_terminal(["chat"], [("> ", key)])
    assert found == code and said in shown
