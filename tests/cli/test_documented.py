"""Every command, option and setting stands in the reference, and nothing else does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from livery.cli.root import livery
from livery.config import Configuration

REFERENCE = Path(__file__).resolve().parents[2] / "docs/reference"
CLI = (REFERENCE / "cli.md").read_text(encoding="utf-8")
CONFIGURATION = (REFERENCE / "configuration.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^### `(livery [^`]+)`\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its full name."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


COMMANDS = dict(commands(livery, "livery"))
SECTIONS = {title: text for title, text in SECTION.findall(CLI)}


def section_of(path: str) -> tuple[str, str]:
    (found,) = [(title, text) for title, text in SECTIONS.items() if title == path or title.startswith(f"{path} ")]
    return found


def own_options(command: click.Command) -> list[str]:
    return [name for param in command.params if isinstance(param, click.Option) for name in param.opts]


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_stands_in_the_reference_with_its_options(path: str) -> None:
    _, text = section_of(path)
    missing = [name for name in own_options(COMMANDS[path]) if f"`{name}" not in text]
    assert missing == []


@pytest.mark.parametrize("path", COMMANDS)
def test_the_reference_names_no_option_that_is_not_there(path: str) -> None:
    _, text = section_of(path)
    table = "\n".join(line for line in text.splitlines() if line.startswith("| `"))
    named = re.findall(r"`(--?[a-z][a-z-]*)", "\n".join(line.split("|")[1] for line in table.splitlines()))
    assert [
        name for name in named if name not in own_options(COMMANDS[path]) and name not in ("--host", "--port")
    ] == []


def test_the_reference_names_no_command_that_is_not_there() -> None:
    assert len(SECTIONS) == len(COMMANDS)


def test_the_global_options_stand_in_the_reference() -> None:
    with livery.make_context("livery", ["--help"], resilient_parsing=True) as context:
        options = [name for param in livery.get_params(context) for name in param.opts]
    assert [name for name in options if f"`{name}" not in CLI] == []


@pytest.mark.parametrize("path", ["", "profile", "registry", "caller", "source", "config", "migrate"])
def test_help_of_groups_and_commands(path: str) -> None:
    from click.testing import CliRunner

    result = CliRunner().invoke(livery, [*path.split(), "--help"])
    assert result.exit_code == 0 and "Commands:" in result.stdout


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_help_that_says_what_it_does(path: str) -> None:
    from click.testing import CliRunner

    result = CliRunner().invoke(livery, [*path.split()[1:], "--help"])
    assert result.exit_code == 0
    assert COMMANDS[path].help and "global options" in result.stdout
    assert [param.name for param in COMMANDS[path].params if isinstance(param, click.Option) and not param.help] == []


@pytest.mark.parametrize("field", Configuration.__struct_fields__)
def test_a_setting_stands_in_the_reference(field: str) -> None:
    (row,) = [line for line in CONFIGURATION.splitlines() if line.startswith(f"| `{field}` |")]
    assert f"`LIVERY_{field.upper()}`" in row or field == "base"


def test_the_reference_names_no_setting_that_is_not_there() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", CONFIGURATION, re.MULTILINE)
    assert rows == list(Configuration.__struct_fields__)
