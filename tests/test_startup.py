"""From a configuration to the registries of a process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from livery.config import Configuration
from livery.core.names import Reference
from livery.errors import ProfileNotFound, SourceReadOnly, SourceUnavailable, ValidationError
from livery.startup import PROJECT_FILE, Process, active_reference, project_file, start
from livery.stores.files import digest
from livery.stores.protocols import EventQuery
from tests.support.registries import engine, without_power, write

Start = Callable[..., Process]

ENGINE = "slug: default\nprofiles: {default: {runtime: {step_settings_patch: {chat: {engine: %s}}}}}\n"


@pytest.fixture
def started(tmp_path: Path) -> Start:
    """A process of a machine and a user of its own, in the folder ``repo/sub``."""
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "xdg"), "XDG_DATA_HOME": str(tmp_path / "data")}
    cwd = tmp_path / "repo" / "sub"
    cwd.mkdir(parents=True)
    (tmp_path / "repo" / ".git").mkdir()

    def run(read_only: bool = False, **fields: object) -> Process:
        configuration = Configuration(**fields)  # type: ignore[arg-type]
        return start(configuration, environ, cwd, read_only=read_only, system=tmp_path / "etc")

    return run


@pytest.fixture
def project(started: Start, tmp_path: Path) -> Path:
    return write(tmp_path / "repo" / PROJECT_FILE, ENGINE % "project")


def trust(process: Process, path: Path) -> None:
    process.state.trust(path, digest(path.read_bytes()), 1)


def test_on_a_new_machine_the_built_in_profile_answers_and_nothing_is_made(started: Start, tmp_path: Path) -> None:
    process = started()
    assert engine(process.service) == "echo"
    assert process.warnings == ()
    assert active_reference(process) is None
    assert [path.name for path in tmp_path.iterdir()] == ["repo"]


def test_the_machine_s_file_lies_under_the_user_s(started: Start, tmp_path: Path) -> None:
    write(tmp_path / "etc" / "profiles.yaml", ENGINE % "machine")
    assert engine(started().service) == "machine"
    write(tmp_path / "xdg" / "livery" / "profiles.yaml", ENGINE % "user")
    assert engine(started().service) == "user"


def test_the_first_write_makes_a_private_database(started: Start, tmp_path: Path) -> None:
    process = started()
    process.service.create_profile("default", {"slug": "mine"})
    path = tmp_path / "data" / "livery" / "livery.db"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert not (tmp_path / "xdg").exists()
    assert [row.slug for row in started().service.list_profiles()] == ["default", "mine"]


def test_a_change_of_a_built_in_profile_is_a_layer_in_the_database(started: Start) -> None:
    started().service.update_profile("default", "default", {"description": "mine"})
    layers = started().service.profile_layers("default", "default")
    assert [layer.source.partition(":")[0] for layer in layers] == ["builtin", "sqlite"]
    assert engine(started().service) == "echo"


def test_a_database_that_may_not_be_written_is_not_replaced_by_a_file() -> None:
    with TemporaryDirectory() as home:  # not below a folder that nobody else may enter
        environ = {"HOME": home, "XDG_CONFIG_HOME": f"{home}/xdg", "XDG_DATA_HOME": f"{home}/data"}
        start(Configuration(), environ, Path(home)).service.create_profile("default", {"slug": "mine"})
        for path in (Path(home), *Path(home).rglob("*")):
            path.chmod(0o555)
        with without_power(), pytest.raises(SourceReadOnly, match=r"livery\.db"):
            start(Configuration(), environ, Path(home)).service.create_profile("default", {"slug": "other"})
        assert not Path(home, "xdg").exists()


def test_the_database_lies_over_every_file(started: Start, tmp_path: Path, project: Path) -> None:
    write(tmp_path / "xdg" / "livery" / "profiles.yaml", ENGINE % "user")
    trust(started(), project)
    change = {"runtime": {"step_settings_patch": {"chat": {"engine": "database"}}}}
    started().service.update_profile("default", "default", change)
    assert engine(started().service) == "database"


def test_the_user_s_file_is_written_where_it_is_named(started: Start, tmp_path: Path) -> None:
    path = tmp_path / "xdg" / "livery" / "profiles.yaml"
    started(writer=str(path)).service.create_profile("default", {"slug": "mine"})
    assert "mine:" in path.read_text()
    assert not (tmp_path / "data" / "livery" / "livery.db").exists()


@pytest.mark.parametrize("content", [b"no database " * 100, b"SQLite format 3\0" + b"x" * 4096])
def test_a_broken_database_is_an_error_that_names_it(started: Start, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data" / "livery" / "livery.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    for ask in (lambda: engine(started().service), lambda: started().service.create_profile(None, {"slug": "x"})):
        with pytest.raises(SourceUnavailable, match=r"livery\.db"):
            ask()
    assert path.read_bytes() == content and not (tmp_path / "xdg").exists()


def test_read_only_writes_no_database_and_remembers_all_the_same(started: Start, tmp_path: Path) -> None:
    process = started(read_only=True)
    with pytest.raises(SourceReadOnly):
        process.service.create_profile("default", {"slug": "x"})
    assert not (tmp_path / "data").exists()
    started().state.use(Reference("default", "default"), 1)
    assert active_reference(started(read_only=True)) == ("default", "default")


def test_the_state_is_in_the_database_that_is_written(started: Start, tmp_path: Path) -> None:
    process = started()
    process.state.use(Reference("default", "default"), 1)
    assert [path.name for path in (tmp_path / "data" / "livery").glob("*.db")] == ["livery.db"]
    assert active_reference(started()) == ("default", "default")
    other = tmp_path / "other.db"
    started(sources=("builtin:", f"sqlite:{other}")).state.use(Reference("default", "default"), 1)
    assert other.exists()


def test_the_state_of_a_writer_that_is_no_database_is_a_file_of_its_own(started: Start, tmp_path: Path) -> None:
    process = started(sources=(str(write(tmp_path / "a.yaml", "slug: a\n")),))
    process.service.create_profile("a", {"slug": "x"})
    assert [path.name for path in (tmp_path / "data" / "livery").glob("*.db")] == ["state.db"]
    (event,) = process.state.journal.events(f"yaml:{tmp_path}/a.yaml", EventQuery())
    assert (event.action, event.registry, event.profile, event.to_version) == ("create", "a", "x", 1)


def test_the_state_is_where_it_was_though_nothing_may_be_written(started: Start, tmp_path: Path) -> None:
    sources = (f"sqlite:{tmp_path / 'a.db'}",)
    assert started(sources=sources, read_only=True).state.label == started(sources=sources).state.label


def test_the_state_goes_with_the_writer_that_is_named(started: Start, tmp_path: Path) -> None:
    sources = (str(write(tmp_path / "a.yaml", "slug: a\n")), f"sqlite:{tmp_path / 'b.db'}")
    assert started(sources=sources).state.label == f"sqlite:{tmp_path / 'b.db'}"
    assert "state.db" in started(sources=sources, writer=sources[0]).state.label


def test_a_project_s_file_is_not_used_before_it_is_trusted(started: Start, project: Path) -> None:
    process = started()
    assert engine(process.service) == "echo"
    (warning,) = process.warnings
    assert f"livery trust {project}" in warning
    trust(process, project)
    again = started()
    assert (engine(again.service), again.warnings) == ("project", ())


def test_trust_is_for_the_content(started: Start, project: Path) -> None:
    trust(started(), project)
    write(project, ENGINE % "changed")
    assert engine(started().service) == "echo"


def test_a_running_process_takes_no_content_that_was_not_trusted(started: Start, project: Path) -> None:
    process = started()
    trust(process, project)
    assert engine(process.service) == "project"
    write(project, ENGINE % "changed")
    process.service.refresh()
    assert engine(process.service) == "project"
    assert "livery trust" in str(process.service.sources[-2].error)
    trust(process, project)
    process.service.refresh()
    assert engine(process.service) == "changed"


def test_a_running_process_takes_in_what_is_trusted_meanwhile(started: Start, project: Path) -> None:
    process = started()
    assert engine(process.service) == "echo"
    trust(process, project)
    process.service.refresh()
    assert (engine(process.service), process.warnings) == ("project", ())


def test_an_untrusted_file_that_is_broken_does_no_harm(started: Start, project: Path) -> None:
    project.write_text("slug: [\n")
    assert engine(started().service) == "echo"


def test_while_nobody_can_say_what_is_trusted_nothing_is(started: Start, project: Path, tmp_path: Path) -> None:
    broken = write(tmp_path / "state.db", "no database " * 100)
    process = started(state=str(broken))
    assert engine(process.service) == "echo"
    assert len(process.warnings) == 1


def test_a_project_s_file_is_written_only_where_it_is_named_as_a_source(started: Start, project: Path) -> None:
    process = started(writer=str(project))
    trust(process, project)
    process.service.refresh()
    with pytest.raises(SourceReadOnly, match="--source"):
        process.service.create_profile("default", {"slug": "x"})
    named = started(sources=(str(project),))
    named.service.create_profile("default", {"slug": "x"})
    assert "x: {metadata:" in project.read_text()


def test_the_project_s_file_is_the_nearest_up_to_the_root_of_the_repository(tmp_path: Path) -> None:
    inner = tmp_path / "repo" / "a" / "b"
    inner.mkdir(parents=True)
    outside = write(tmp_path / PROJECT_FILE, "")
    assert project_file(inner) == outside
    (tmp_path / "repo" / ".git").write_text("gitdir: elsewhere")  # as in a worktree
    assert project_file(inner) is None
    root = write(tmp_path / "repo" / PROJECT_FILE, "")
    assert project_file(inner) == root
    nearest = write(tmp_path / "repo" / "a" / PROJECT_FILE, "")
    assert project_file(inner) == nearest
    (inner / PROJECT_FILE).mkdir()
    assert project_file(inner) == nearest


def test_a_folder_above_that_may_not_be_looked_into_holds_no_project(tmp_path: Path) -> None:
    inner = tmp_path / "closed" / "open"
    inner.mkdir(parents=True)
    write(tmp_path / "closed" / PROJECT_FILE, "")
    (tmp_path / "closed").chmod(0)
    with without_power():
        assert project_file(inner) is None
    (tmp_path / "closed").chmod(0o700)


def test_named_sources_replace_the_usual_ones_and_need_no_trust(started: Start, project: Path, tmp_path: Path) -> None:
    write(tmp_path / "xdg" / "livery" / "profiles.yaml", ENGINE % "user")
    process = started(sources=("builtin:", str(project)))
    assert (engine(process.service), process.warnings) == ("project", ())
    writer = process.service.writer
    assert writer is not None and writer.label == f"yaml:{project}"


def test_a_writer_is_named_and_has_to_be_a_source(started: Start, tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.yaml", "slug: a\n"), write(tmp_path / "b.yaml", "slug: b\n")
    process = started(sources=(str(a), str(b)), writer=str(a))
    process.service.create_profile("a", {"slug": "x"})
    assert "x" in a.read_text() and b.read_text() == "slug: b\n"
    with pytest.raises(ValidationError, match=r"c\.yaml is not one of the sources: yaml:.*a\.yaml"):
        started(sources=(str(a),), writer=str(tmp_path / "c.yaml"))


def test_read_only_is_for_every_source(started: Start, tmp_path: Path) -> None:
    process = started(read_only=True, sources=("memory:", str(write(tmp_path / "a.yaml", "slug: a\n"))))
    assert process.service.writer is None
    with pytest.raises(SourceReadOnly):
        process.service.create_profile("a", {"slug": "x"})


def test_the_default_registry_is_configured(started: Start, tmp_path: Path) -> None:
    text = "registries: {default: {profiles: {a: {}}}, other: {profiles: {b: {}}}}\n"
    path = str(write(tmp_path / "a.yaml", text))
    assert started(sources=(path,)).service.list_profiles()[0].slug == "a"
    assert started(sources=(path,), default_registry="other").service.list_profiles()[0].slug == "b"


def test_the_active_profile_is_that_of_the_pointer_unless_one_is_configured(started: Start) -> None:
    process = started()
    process.service.create_profile("default", {"slug": "mine"})
    process.state.use(Reference("default", "mine"), 1)
    assert active_reference(process) == ("default", "mine")
    assert active_reference(started(profile="default")) is None
    process.state.use_previous()
    assert active_reference(process) is None


@pytest.mark.parametrize("gone", [Reference("default", "mein"), Reference("defualt", "mine")])
def test_an_active_profile_that_is_gone_is_an_error_that_says_what_to_do(started: Start, gone: Reference) -> None:
    process = started()
    process.service.create_profile("default", {"slug": "mine"})
    process.state.use(gone, 1)
    with pytest.raises(ProfileNotFound, match=rf"'{gone}' not found .*livery use NAME.*did you mean"):
        active_reference(process)


def test_the_state_may_lie_elsewhere(started: Start, tmp_path: Path) -> None:
    started(state=f"sqlite:{tmp_path / 's.db'}").state.use(Reference("default", "default"), 1)
    assert (tmp_path / "s.db").exists() and not (tmp_path / "data").exists()


def test_a_process_that_only_reads_makes_no_manifest_either(tmp_path: Path) -> None:
    (tmp_path / "wa/profiles").mkdir(parents=True)
    (tmp_path / "wa/profiles/a.toml").write_text("")
    configuration = Configuration(sources=(f"config-profiles:{tmp_path}/wa?app=wa",))
    process = start(configuration, {"HOME": str(tmp_path)}, tmp_path, read_only=True)
    assert [row.slug for row in process.service.list_profiles("wa")] == ["default", "a"]
    assert not (tmp_path / "wa/profiles/manifest.json").exists()
