"""What goes wrong: one line for each fault, an exit code from the table, no traceback."""

from __future__ import annotations

import subprocess

import pytest

from livery import errors
from livery.cli.failures import exit_code_of
from livery.cli.session import Session
from livery.outcomes import OUTCOMES
from tests.cli.conftest import MAIN


def raising(error: BaseException):
    def run() -> int:
        raise error

    return run


@pytest.mark.parametrize(
    "error",
    [
        errors.ValidationError("a.b", "is wrong"),
        errors.ProfileNotFound("a/b", nearest=["a/c"]),
        errors.SourceReadOnly("this", "builtin:"),
        errors.VersionConflict("profile", "a", 1, 2),
        errors.SecretUnavailable("env:X", "the variable is not set"),
        errors.MigrationDiffers(["a"]),
        errors.UsageError("give a name"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_one_line_and_the_exit_code_of_the_table(capsys, error: errors.LiveryError) -> None:
    assert exit_code_of(raising(error), Session()) == OUTCOMES[type(error)].exit_code
    stderr = capsys.readouterr().err
    assert stderr.startswith("error: ") and str(error).splitlines()[0] in stderr and "Traceback" not in stderr


def test_each_fault_has_a_line(capsys) -> None:
    faults = [errors.Fault("a", "is wrong", errors.Place("x.yaml", 3)), errors.Fault("b", "too")]
    assert exit_code_of(raising(errors.ValidationError.of(faults)), Session()) == 4
    assert capsys.readouterr().err == "error: x.yaml:3: a: is wrong\nerror: b: too\n"


def test_what_nobody_foresaw_is_one_line(capsys) -> None:
    assert exit_code_of(raising(KeyError("x")), Session()) == 1
    assert capsys.readouterr().err == (
        "error: unexpected KeyError: 'x' (this is a fault of Livery; --debug shows where)\n"
    )


def test_an_interruption_says_so(capsys) -> None:
    assert exit_code_of(raising(KeyboardInterrupt()), Session()) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_debug_shows_the_traceback(livery, team) -> None:
    assert "Traceback" not in livery("resolve", "nope").stderr
    result = livery("resolve", "nope", "--debug")
    assert result.exit_code == 3 and "Traceback" in result.stderr


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (("profle",), "did you mean 'profile'?"),
        (("profile", "lst"), "did you mean 'list'?"),
        (("profile", "list", "--tg", "x"), "--tag"),
        (("resolve", "a", "b"), "unexpected extra argument"),
        (("resolve", "-o", "xml"), "'xml'"),
        (("profile", "set", "a"), "KEY=VALUE"),
        (("profile", "set", "default", "x"), "KEY=VALUE"),
    ],
)
def test_wrong_usage_says_what_is_right(livery, folder, args: tuple[str, ...], hint: str) -> None:
    result = livery(*args)
    assert result.exit_code == 2 and hint in result.stderr and result.stderr.startswith("error: ")
    assert "--help" in result.stderr


def test_a_reader_that_goes_away_is_no_error(process, team) -> None:
    code = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {MAIN!r}, 'resolve', '--all'], "
    code += "stdout=subprocess.PIPE, stderr=subprocess.PIPE); p.stdout.close(); print(p.stderr.read().decode(), end='')"
    assert process(code=code).stdout == ""


@pytest.mark.parametrize("args", [("profile", "list"), ("--no-color", "profile", "list")])
def test_a_pipe_gets_plain_text(process, team, args: tuple[str, ...]) -> None:
    done: subprocess.CompletedProcess[str] = process(*args)
    assert "\x1b" not in done.stdout and done.returncode == 0


def test_verbose_says_what_is_read(livery, team) -> None:
    result = livery("resolve", "coder", "-v")
    assert "source: yaml:team.yaml (written)" in result.stderr and "chosen by the command line" in result.stderr
