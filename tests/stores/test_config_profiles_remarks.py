"""What `livery validate` says of config profiles that can be used all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from livery.stores.config_profiles import ConfigProfilesStore
from tests.support.config_profiles import OVERLAY, directory, opened_up, write_manifest
from tests.support.registries import without_power


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return directory(tmp_path, incident=OVERLAY, quiet='[log]\nlevel = "error"\n')


def remarks(path: Path, slug: str = "default") -> list[str]:
    loaded = ConfigProfilesStore(path, "wa").load_registries()
    assert loaded.remarks is not None
    return [str(fault).removeprefix(f"{path}/") for fault in loaded.remarks("wa", slug)]


def remarks_on(path: Path, text: str) -> list[str]:
    (path / "profiles" / "quiet.toml").write_text(text)
    return [remark.removeprefix("profiles/quiet.toml:") for remark in remarks(path, "quiet")]


def test_sound_files_need_no_remark(path: Path) -> None:
    assert [remarks(path, slug) for slug in ("default", "incident", "quiet", "nobody")] == [[]] * 4


def test_a_key_that_the_base_does_not_have_is_told_with_one_that_it_has(path: Path) -> None:
    assert remarks_on(path, 'log.levle = "x"\n') == [
        "1:5: log.levle: the base has no 'log.levle'; did you mean 'log.level'?"
    ]


@pytest.mark.parametrize(
    ("directives", "told"),
    [
        ('[_profile]\nunset = ["name", "log.fromat"]', "2:18: log.fromat: the base has no 'log.fromat'; did you mean"),
        ('[_profile]\nunset = ["no.such"]', "2:10: no.such: the base has no 'no.such'"),
        ("[_profile.append]\ntags = [1]", "2:1: tags: the base has no 'tags'"),
        ('[_profile.remove]\n"log.tags" = [1]', "2:1: log.tags: the base has no 'log.tags'"),
    ],
)
def test_what_is_unset_or_edited_and_is_not_there_is_told(path: Path, directives: str, told: str) -> None:
    (remark,) = remarks_on(path, directives)
    assert remark.startswith(told)


def test_of_very_many_unknown_keys_the_first_are_told(path: Path) -> None:
    assert len(remarks_on(path, "".join(f"key{number} = 1\n" for number in range(1000)))) == 100


def test_what_a_profile_that_is_extended_may_have_is_not_missed(path: Path) -> None:
    assert remarks_on(path, '[_profile]\nextends = "incident"\nunset = ["no.such"]\n') == []


def test_an_overlay_that_is_not_listed_is_told(path: Path) -> None:
    (path / "profiles" / "below").mkdir()
    write_manifest(path, {"name": "quiet", "path": "./quiet.toml"})
    assert remarks(path) == [
        "profiles/incident.toml: it is no profile, for manifest.json does not list it; list it there, or move it away"
    ]


@pytest.mark.parametrize(
    ("pointer", "told"),
    [
        ('{"active": "quite"}', "active: there is no profile 'quite' (choose another: livery use NAME); did you mean"),
        ("{", "is no JSON"),
    ],
)
def test_a_pointer_that_leads_nowhere_is_told(path: Path, pointer: str, told: str) -> None:
    (path / "profiles" / "active.json").write_text(pointer)
    (remark,) = remarks(path)
    assert remark.startswith(f"profiles/active.json: {told}")


def test_a_pointer_at_a_profile_or_the_base_needs_no_remark(path: Path) -> None:
    for name in ("default", "quiet"):
        (path / "profiles" / "active.json").write_text(f'{{"active": "{name}"}}')
        assert remarks(path) == []


def test_profiles_over_a_base_of_another_name_are_told(path: Path) -> None:
    (path / "wa.toml").rename(path / "wb.toml")
    assert remarks(path) == ["wa.toml: it is missing, so that profiles lie over nothing; there is wb.toml: say ?app=wb"]


def test_of_what_may_not_be_listed_nothing_is_said(path: Path) -> None:
    opened_up(path)
    (path / "profiles").chmod(0o711)
    with without_power():
        assert remarks(path) == []
    (path / "profiles").chmod(0o755)
