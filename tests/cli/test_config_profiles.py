"""Config profiles from the command line: which one is meant, what it resolves to, and that the base stays as it is."""

from __future__ import annotations

import json
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest

from tests.cli.conftest import Run

BASE = '[g]\nlevel = "info"\nfmt = "p"\nn = ["a", "b"]\nsince = 2026-01-02T03:04:05Z\n'


@pytest.fixture
def wa(folder: Path) -> Path:
    home = folder / "wa"
    (home / "profiles").mkdir(parents=True)
    (home / "wa.toml").write_text(BASE)
    (home / "profiles/a.toml").write_text('[g]\nlevel = "debug"\n')
    (home / "profiles/b.toml").write_text('[g]\nlevel = "warn"\n')
    return home


@pytest.fixture
def config(livery: Run, wa: Path) -> Run:
    return lambda *words, **more: livery("--source", f"config-profiles:{wa}?app=wa", *words, **more)


def level(config: Run, *words: str) -> str:
    document = json.loads(config("resolve", "-o", "json", *words).stdout)
    return str(document["effective_step_settings"]["g"]["level"])


def fingerprint_of(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def test_using_a_profile_moves_a_pointer_and_leaves_the_base_alone(config: Run, wa: Path) -> None:
    before = fingerprint_of(wa / "wa.toml")
    seen = []
    for name in ("a", "b", "default"):
        assert config("use", name).exit_code == 0
        seen.append(level(config))
    assert seen == ["debug", "warn", "info"]
    assert fingerprint_of(wa / "wa.toml") == before


def test_going_back_ends_at_the_base_and_says_when_nothing_is_left(config: Run) -> None:
    config("use", "a")
    config("use", "b")
    steps = [config("use", "--rollback") for _ in range(3)]
    assert [step.stdout.strip() for step in steps] == ["wa/a is active", "wa/default is active", ""]
    assert [step.exit_code for step in steps] == [0, 0, 1]
    assert "no earlier active profile" in steps[2].stderr


def test_only_the_profile_in_use_is_stamped(config: Run, wa: Path) -> None:
    config("profile", "list")
    before = json.loads((wa / "profiles/manifest.json").read_text())["profiles"]
    config("use", "a")
    after = json.loads((wa / "profiles/manifest.json").read_text())["profiles"]
    assert after[1] == before[1]
    assert after[0].pop("last_applied_at") > 0
    assert after[0] == before[0]


def test_the_state_of_the_machine_is_not_asked_where_a_source_keeps_its_own_pointer(config: Run, folder: Path) -> None:
    config("use", "a")
    assert config("current").stdout.startswith("wa/a")
    assert not list(folder.rglob("state.db"))


@pytest.mark.parametrize(
    ("flag", "variable", "expected"), [((), "", "debug"), ((), "b", "warn"), (("-p", "default"), "b", "info")]
)
def test_a_flag_goes_before_the_environment_and_that_before_the_pointer(
    config: Run, monkeypatch: pytest.MonkeyPatch, flag: tuple[str, ...], variable: str, expected: str
) -> None:
    config("use", "a")
    monkeypatch.setenv("LIVERY_PROFILE", variable)
    assert level(config, *flag) == expected if not flag else level(lambda *w: config(*flag, *w)) == expected


@pytest.mark.parametrize("way", ["flag", "environment", "pointer"])
def test_a_profile_that_cannot_be_found_is_an_error_whoever_names_it(
    config: Run, wa: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    if way == "environment":
        monkeypatch.setenv("LIVERY_PROFILE", "aa")
    if way == "pointer":
        (wa / "profiles/active.json").write_text('{"version": 1, "active": "aa", "applied_at": 1, "previous": []}')
    result = config(*(["-p", "aa"] if way == "flag" else []), "resolve")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "'wa/aa'" in result.stderr or "'aa'" in result.stderr
    assert "did you mean" in result.stderr


@pytest.mark.parametrize("text", ["[g\n", "[g.level]\nx = 1\n"])
def test_a_broken_profile_is_not_used(config: Run, wa: Path, text: str) -> None:
    config("use", "b")
    (wa / "profiles/a.toml").write_text(text)
    result = config("use", "a")
    assert result.exit_code == 4
    assert "a.toml" in result.stderr
    assert config("current").stdout.startswith("wa/b")


def test_list_edits_and_unsets_stand_in_a_table_of_their_own(config: Run, wa: Path) -> None:
    (wa / "profiles/a.toml").write_text(
        '[_profile]\nunset = ["g.fmt"]\n[_profile.remove]\n"g.n" = ["a"]\n[_profile.append]\n"g.n" = ["c"]\n'
    )
    document = json.loads(config("resolve", "a", "-o", "json").stdout)["effective_step_settings"]
    assert document["g"] == {"level": "info", "n": ["b", "c"], "since": "2026-01-02T03:04:05Z"}


def test_a_date_is_still_a_date_in_toml(config: Run) -> None:
    assert "since = 2026-01-02T03:04:05Z\n" in config("resolve", "a", "-o", "toml").stdout


def test_the_settings_alone_are_what_a_program_reads(config: Run) -> None:
    shown = config("resolve", "a", "--settings", "-o", "toml").stdout
    assert tomllib.loads(shown)["g"] == {**tomllib.loads(BASE)["g"], "level": "debug"}
    assert config("resolve", "a", "--settings", "--explain").exit_code == 2


def test_the_list_marks_the_active_profile_and_says_when_it_was_used(config: Run) -> None:
    config("use", "a")
    rows = json.loads(config("profile", "list", "-o", "json").stdout)
    assert [row["slug"] for row in rows] == ["default", "a", "b"]
    assert [row["is_active"] for row in rows] == [False, True, False]
    assert rows[1]["last_applied_at_ms"] > 0
    assert "LAST USED" in config("profile", "list").stdout


def test_edits_keep_comments_and_the_base_is_the_profile_default(config: Run, wa: Path) -> None:
    (wa / "profiles/a.toml").write_text('# mine\n[g]\nlevel = "debug"  # loud\n')
    config("profile", "set", "a", "g.fmt=json")
    config("profile", "set", "default", "g.level=error")
    assert (wa / "profiles/a.toml").read_text() == '# mine\n[g]\nlevel = "debug"  # loud\nfmt = "json"\n'
    assert (wa / "wa.toml").read_text() == BASE.replace('"info"', '"error"')


def test_a_profile_in_use_or_under_others_cannot_be_deleted(config: Run, wa: Path) -> None:
    (wa / "profiles/b.toml").write_text('[_profile]\nextends = "a"\n')
    config("use", "b")
    results = [config("profile", "delete", name, "--yes") for name in ("a", "b", "default")]
    assert [result.exit_code for result in results[:2]] == [6, 6]
    assert results[2].exit_code != 0
    assert (wa / "profiles/a.toml").exists() and (wa / "profiles/b.toml").exists()


def test_what_overlays_have_no_place_for_is_refused_with_a_layout_that_has(config: Run) -> None:
    result = config("profile", "set", "a", "system_prompt=hello")
    assert result.exit_code == 4
    assert "a registry in YAML or a database can" in result.stderr


def test_validate_warns_of_keys_that_the_base_does_not_have(config: Run, livery: Run, wa: Path) -> None:
    (wa / "profiles/a.toml").write_text('[g]\nlevle = "debug"\n')
    result = livery("validate", f"config-profiles:{wa}?app=wa")
    assert result.exit_code == 0
    assert f"{wa}/profiles/a.toml:2:1" in result.stdout
    assert "did you mean 'g.level'?" in result.stdout
    assert livery("validate", "--strict", f"config-profiles:{wa}?app=wa").exit_code == 4


def test_a_copy_and_a_new_name_keep_the_comments(config: Run, wa: Path) -> None:
    text = '# mine\n[g]\nlevel = "debug"  # loud\n'
    (wa / "profiles/a.toml").write_text(text)
    config("profile", "copy", "a", "c")
    config("use", "c")
    assert config("profile", "rename", "c", "d").exit_code == 0
    assert (wa / "profiles/d.toml").read_text() == text
    assert config("current").stdout.startswith("wa/d")


def test_a_manifest_that_is_made_anew_is_told_once(config: Run, wa: Path) -> None:
    config("profile", "list")
    (wa / "profiles/manifest.json").write_bytes(b"\0")
    first, second = config("profile", "list"), config("profile", "list")
    assert (first.exit_code, first.stderr.count("made anew")) == (0, 1)
    assert (second.exit_code, second.stderr) == (0, "")
    assert first.stdout == second.stdout


def test_the_list_marks_the_active_profile_even_when_it_has_gone(config: Run, wa: Path) -> None:
    config("use", "a")
    (wa / "profiles/a.toml").unlink()
    assert "●" in config("profile", "list").stdout


def test_several_bases_are_an_error_that_says_how_to_choose(livery: Run, folder: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (folder / name).write_text("")
    result = livery("--source", f"config-profiles:{folder}", "profile", "list")
    assert result.exit_code != 0
    assert "?app=a" in result.stderr


def test_validate_finds_a_table_against_a_value_with_both_files(config: Run, livery: Run, wa: Path) -> None:
    (wa / "profiles/a.toml").write_text("[g.level]\nx = 1\n")
    result = livery("validate", f"config-profiles:{wa}?app=wa")
    assert result.exit_code == 4
    assert "g.level: a mapping meets a value" in result.stdout
    assert f"{wa}/wa.toml:2" in result.stdout and f"{wa}/profiles/a.toml:1" in result.stdout


def test_entries_that_fold_to_one_name_are_errors_and_the_first_is_used(config: Run, livery: Run, wa: Path) -> None:
    entries = [{"name": "a", "path": "a.toml"}, {"name": "A", "path": "b.toml"}]
    (wa / "profiles/manifest.json").write_text(json.dumps({"version": 1, "profiles": entries}))
    assert level(config, "a") == "debug"
    result = livery("validate", f"config-profiles:{wa}?app=wa")
    assert result.exit_code == 4
    assert "folds to the same name" in result.stdout


def test_a_profile_whose_file_is_gone_can_be_deleted(config: Run, wa: Path) -> None:
    config("profile", "list")
    (wa / "profiles/a.toml").unlink()
    assert config("profile", "delete", "a", "--yes").exit_code == 0
    assert "a" not in [row["slug"] for row in json.loads(config("profile", "list", "-o", "json").stdout)]


def test_odd_items_of_the_history_are_passed_over(config: Run, wa: Path) -> None:
    previous = [{"at": 1}, "b", {"name": 7}, {"name": "b", "at": 1}]
    pointer = {"version": 1, "active": "a", "applied_at": 1, "previous": previous}
    (wa / "profiles/active.json").write_text(json.dumps(pointer))
    assert config("use", "--rollback").stdout == "wa/b is active\n"


def test_a_setting_that_is_called_extends_is_a_setting(config: Run, wa: Path) -> None:
    (wa / "profiles/a.toml").write_text('[g]\nextends = "x"\n')
    document = json.loads(config("resolve", "a", "-o", "json").stdout)
    assert document["effective_step_settings"]["g"]["extends"] == "x"
