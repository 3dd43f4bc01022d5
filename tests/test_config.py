"""Where the settings of a process come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from livery.config import Configuration, Configured, config_home, data_home, load_configuration
from livery.errors import LiveryError, SourceNotFound, SourceUnavailable, ValidationError
from tests.support.registries import without_power, write

Load = Callable[..., Configured]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """The configuration as in a working directory and with the folders of a user and a machine of its own."""
    environ = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}

    def loaded(flags: dict[str, Any] | None = None, file: Path | None = None, **variables: str) -> Configured:
        cwd, system = tmp_path / "cwd", tmp_path / "etc"
        return load_configuration(flags or {}, {**environ, **variables}, cwd, file, system=system)

    return loaded


def faults(load: Load, **options: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        load(**options)
    return str(caught.value).splitlines()


def test_without_anything_the_defaults_count(load: Load) -> None:
    configured = load()
    assert configured.values == Configuration()
    assert set(configured.origins.values()) == {"default"} and configured.files == ()


def test_flag_beats_variable_beats_working_directory_beats_user_beats_machine(load: Load, tmp_path: Path) -> None:
    places = ["etc", "xdg/livery", "cwd"]
    for number, place in enumerate(places, start=1):
        write(tmp_path / place / "livery.toml", f"port = {number}\n")
        configured = load()
        assert (configured.values.port, configured.origins["port"]) == (number, str(tmp_path / place / "livery.toml"))
    configured = load(LIVERY_PORT="4")
    assert (configured.values.port, configured.origins["port"]) == (4, "LIVERY_PORT")
    configured = load({"port": 5}, LIVERY_PORT="4")
    assert (configured.values.port, configured.origins["port"]) == (5, "--port")
    assert [path.parent.name for path in configured.files] == ["etc", "livery", "cwd"]


def test_each_field_comes_from_its_own_highest_place(load: Load, tmp_path: Path) -> None:
    write(tmp_path / "etc" / "livery.toml", 'host = "10.0.0.1"\nport = 1\n')
    write(tmp_path / "cwd" / "livery.toml", "port = 2\n")
    configured = load({"profile": "coder"})
    assert (configured.values.host, configured.values.port, configured.values.profile) == ("10.0.0.1", 2, "coder")
    assert (configured.origins["profile"], configured.origins["writer"]) == ("--profile", "default")


@pytest.mark.parametrize("nothing", ["", "  "])
def test_an_empty_variable_is_as_good_as_none(load: Load, nothing: str) -> None:
    assert load(LIVERY_PROFILE=nothing, LIVERY_PORT=nothing, LIVERY_SOURCES=nothing).values == Configuration()


@pytest.mark.parametrize("nothing", [None, "", ()])
def test_a_flag_without_a_value_was_not_given(load: Load, nothing: object) -> None:
    assert load({"profile": nothing, "sources": nothing}, LIVERY_PROFILE="x").values.profile == "x"


@pytest.mark.parametrize("text", ["a.yaml, yaml:b.yaml", "[a.yaml,yaml:b.yaml]", " a.yaml,yaml:b.yaml "])
def test_a_list_of_sources_is_divided_by_commas(load: Load, text: str) -> None:
    assert load(LIVERY_SOURCES=text).values.sources == ("a.yaml", "yaml:b.yaml")


@pytest.mark.parametrize("toml", ['sources = ["a.yaml", "b.yaml"]', 'sources = "a.yaml, b.yaml"'])
def test_sources_in_a_file_are_a_list_or_a_text(load: Load, tmp_path: Path, toml: str) -> None:
    write(tmp_path / "cwd" / "livery.toml", toml)
    assert load().values.sources == ("a.yaml", "b.yaml")


def test_a_source_given_as_a_flag_keeps_its_commas(load: Load) -> None:
    given = ("sqlite-dsn:file:a.db?x=1,2", "b.yaml")
    assert load({"sources": given}).values.sources == given


def test_an_empty_entry_of_a_list_is_told_with_its_position(load: Load) -> None:
    assert faults(load, LIVERY_SOURCES="a.yaml,,b.yaml") == ["LIVERY_SOURCES[1]: is empty"]


def test_an_explicit_file_is_read_in_place_of_the_others(load: Load, tmp_path: Path) -> None:
    write(tmp_path / "cwd" / "livery.toml", "port = 1\n")
    own = write(tmp_path / "own.toml", 'host = "h"\n[base.chat]\nengine = "x"\n')
    configured = load(file=own)
    assert (configured.values.host, configured.values.port, configured.files) == ("h", 8420, (own,))
    assert configured.values.base == {"chat": {"engine": "x"}}


def test_an_explicit_file_that_is_not_there_is_an_error(load: Load, tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match=r"none\.toml.*configuration file"):
        load(file=tmp_path / "none.toml")
    with pytest.raises(SourceUnavailable, match="directory"):
        load(file=tmp_path)


def test_unknown_keys_and_wrong_types_are_told_all_at_once_with_the_file(load: Load, tmp_path: Path) -> None:
    path = write(tmp_path / "cwd" / "livery.toml", 'sorces = []\nport = "x"\nhost = 5\nsources = [1]\nwriter = true\n')
    assert faults(load) == [
        f"{path}: sorces: unknown field 'sorces'; did you mean 'sources'?",
        f"{path}: port: cannot be text",
        f"{path}: host: cannot be a number",
        f"{path}: sources: cannot hold a number",
        f"{path}: writer: cannot be true/false",
    ]


@pytest.mark.parametrize("port", ["99999", "x", "-1", "1.5"])
def test_a_port_that_is_none_is_told_with_its_variable(load: Load, port: str) -> None:
    (message,) = faults(load, LIVERY_PORT=port)
    assert "LIVERY_PORT" in message


def test_a_port_out_of_range_is_told_with_its_file(load: Load, tmp_path: Path) -> None:
    path = write(tmp_path / "cwd" / "livery.toml", "port = 70000\n")
    (message,) = faults(load)
    assert str(path) in message and message.startswith("port:")


def test_the_retention_is_configured_in_versions_and_days(load: Load, tmp_path: Path) -> None:
    assert load().values.retention == (0, 30 * 86_400_000)
    write(tmp_path / "cwd" / "livery.toml", "history_keep = 20\nhistory_days = 90\n")
    assert load(LIVERY_HISTORY_DAYS=" 7 ").values.retention == (20, 7 * 86_400_000)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("keep", "1"),
        ("keep", "-2"),
        ("keep", "all"),
        ("keep", "9" * 5000),
        ("days", "0"),
        ("days", "²"),
        ("days", "1e9"),
    ],
)
def test_a_retention_that_is_none_is_told_with_its_variable(load: Load, setting: str, value: str) -> None:
    (message,) = faults(load, **{f"LIVERY_HISTORY_{setting.upper()}": value})
    assert f"LIVERY_HISTORY_{setting.upper()}" in message and len(message) < 200


def test_a_file_that_keeps_too_little_says_how_much_it_takes(load: Load, tmp_path: Path) -> None:
    path = write(tmp_path / "cwd" / "livery.toml", "history_keep = 1\n")
    assert faults(load) == [f"history_keep: expected 0, which keeps all, or at least 2 ({path})"]


def test_a_file_that_is_no_toml_is_told_with_its_line(load: Load, tmp_path: Path) -> None:
    path = write(tmp_path / "cwd" / "livery.toml", "port = 1\nhost = \n")
    (message,) = faults(load)
    assert message.startswith(f"{path}:2:")


def test_a_file_that_is_no_utf8_says_so(load: Load, tmp_path: Path) -> None:
    write(tmp_path / "cwd" / "livery.toml", "").write_bytes(b'host = "\xe9"\n')
    assert "not UTF-8" in faults(load)[0]


def test_folders_that_may_not_be_looked_into_hold_nothing_for_us(load: Load, tmp_path: Path) -> None:
    write(tmp_path / "xdg" / "livery" / "livery.toml", "port = 1\n")
    (tmp_path / "xdg").chmod(0)
    with without_power():
        assert load().values.port == 8420
    (tmp_path / "xdg").chmod(0o700)


def test_reading_makes_nothing(load: Load, tmp_path: Path) -> None:
    load()
    assert list(tmp_path.iterdir()) == []


def test_folders_follow_the_xdg_rules() -> None:
    environ = {"HOME": "/h", "XDG_CONFIG_HOME": "relative", "XDG_DATA_HOME": "/data"}
    assert (config_home(environ), data_home(environ)) == (Path("/h/.config/livery"), Path("/data/livery"))
    assert data_home({"HOME": "/h", "XDG_DATA_HOME": ""}) == Path("/h/.local/share/livery")


def test_every_refusal_is_one_of_our_errors(load: Load, tmp_path: Path) -> None:
    loop = tmp_path / "loop.toml"
    loop.symlink_to(loop)
    with pytest.raises(LiveryError):
        load(file=loop)
