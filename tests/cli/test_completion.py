"""``completion`` and what it completes."""

from __future__ import annotations

import pytest
from click.shell_completion import ShellComplete

from livery.cli.root import livery as command


def completed(*words: str) -> list[str]:
    """What the last word can become."""
    found = ShellComplete(command, {}, "livery", "_LIVERY_COMPLETE").get_completions(list(words[:-1]), words[-1])
    return [item.value for item in found]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(livery, shell: str) -> None:
    result = livery("completion", shell)
    assert result.exit_code == 0 and "_LIVERY_COMPLETE" in result.stdout


def test_other_shells_are_refused(livery) -> None:
    assert livery("completion", "cmd").exit_code == 2


def test_commands_are_completed(folder) -> None:
    assert completed("re") == ["resolve", "registry"]
    assert completed("profile", "re") == ["rename"]
    assert completed("pro") == ["profile"]


def test_options_are_completed(folder) -> None:
    assert "--explain" in completed("resolve", "--e")
    assert "--source" in completed("--s")


def test_profiles_are_completed(team) -> None:
    assert completed("resolve", "") == ["default", "team/base", "team/coder"]
    assert completed("resolve", "team/c") == ["team/coder"]
    assert completed("chat", "-p", "d") == ["default"]
    assert completed("registry", "show", "t") == ["team"]


def test_options_that_were_typed_count(folder, team) -> None:
    assert completed("--source", "team.yaml", "resolve", "c") == ["coder"]


def test_completion_never_fails(folder, monkeypatch, capsys) -> None:
    monkeypatch.setenv("LIVERY_SOURCES", "no-such-kind:x")
    assert completed("resolve", "") == []
    (folder / "broken.yaml").write_text("a: [")
    monkeypatch.setenv("LIVERY_SOURCES", "broken.yaml")
    assert completed("resolve", "") == []
    assert capsys.readouterr() == ("", "")


def test_an_untrusted_project_does_not_disturb_typing(folder, capsys) -> None:
    (folder / ".livery.yaml").write_text("slug: p\nprofiles: {a: {}}\n")
    assert completed("resolve", "") == ["default"]
    assert capsys.readouterr().err == ""


def test_a_real_shell_asks_like_this(process, team) -> None:
    env = {"_LIVERY_COMPLETE": "bash_complete", "COMP_WORDS": "livery use te", "COMP_CWORD": "2"}
    assert process(env=env).stdout.split() == ["plain,team/base", "plain,team/coder"]
