"""Export and import: between databases, files and documents, all of it or nothing."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from livery.core.redact import redact
from livery.errors import (
    LiveryError,
    ProfileReadOnly,
    Refused,
    RegistryNotFound,
    SourceNotFound,
    SourceReadOnly,
    Unsupported,
    UsageError,
    ValidationError,
)
from livery.formats.yaml import write_yaml
from livery.service import RegistryService
from livery.service.incoming import Chosen, SourceBundle, TextBundle
from livery.service.transfer import Imported
from livery.settings import schema_named
from livery.stores.protocols import EventQuery
from livery.stores.urls import parse_source
from tests.support.registries import ALICE, BOB, engine, opened, resolved, settings, write

KEY = "sk-very-secret-key"
TEAM = f"""\
    slug: team
    default_profile_slug: coder
    callers: {{vscode: coder}}
    profiles:
      coder:
        extends: [base]
        display_name: Coder
        runtime: {{step_settings_patch: {{chat: {{engine: one}}}}}}
        metadata: {{version: 7, tags: [dev]}}
      base:
        runtime:
          step_settings_patch: {{api: {{api_keys: {{openai-api-key: {KEY}}}}}}}
"""


@pytest.fixture
def team(tmp_path: Path) -> Path:
    return write(tmp_path / "team.yaml", TEAM)


@pytest.fixture
def service(database_url: str) -> Iterator[RegistryService]:
    """A database that is yet to be made, over what Livery brings along."""
    service = opened("builtin:", optional(database_url))
    yield service
    service.close()


def optional(url: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}optional=1"


def text(document: str | dict[str, Any], *wanted: str) -> TextBundle:
    written = textwrap.dedent(document) if isinstance(document, str) else write_yaml(document)
    return TextBundle(written, "bundle.yaml", Chosen(wanted))


def source(url: Path | str, *wanted: str) -> SourceBundle:
    return SourceBundle(parse_source(str(url)), schema_named, Chosen(wanted))


def names(result: Imported) -> list[str]:
    return [f"{step.kind} {step.name}" for step in result.steps]


def registry(profiles: dict[str, Any], slug: str = "team", **head: Any) -> dict[str, Any]:
    return {"registries": {slug: {**head, "profiles": profiles}}}


def raised(service: RegistryService, bundle: TextBundle | SourceBundle, **how: Any) -> LiveryError:
    """The error of an import, which has written nothing."""
    before = [row.slug for row in service.list_registries()], _seq(service)
    with pytest.raises(LiveryError) as found:
        service.import_registries(bundle, BOB, **how)
    service.refresh()
    assert ([row.slug for row in service.list_registries()], _seq(service)) == before
    return found.value


def _seq(service: RegistryService) -> int:
    rows = service.source_rows()
    return next((row["seq"] for row in rows if row["seq"]), 0)


# What an import does


def test_what_is_new_is_created_with_its_bases_first(service: RegistryService, team: Path) -> None:
    result = service.import_registries(source(team), BOB)
    assert names(result) == ["created team", "created team/base", "created team/coder"]
    assert engine(service, "coder", registry_slug="team") == "one"
    profile = service.get_profile("team", "coder")
    assert (profile.version, profile.metadata.tags, profile.metadata.updated_by) == (1, ("dev",), "bob")


def test_importing_twice_writes_nothing(service: RegistryService, team: Path) -> None:
    service.import_registries(source(team), BOB)
    seq = _seq(service)
    again = service.import_registries(source(team), BOB)
    assert (again.steps, again.unchanged, _seq(service)) == ([], 3, seq)


def test_what_differs_is_updated_and_the_rest_left(service: RegistryService, team: Path) -> None:
    service.import_registries(source(team), BOB)
    write(team, TEAM.replace("engine: one", "engine: two"))
    result = service.import_registries(source(team), BOB)
    assert (names(result), result.unchanged) == (["updated team/coder"], 2)
    assert service.get_profile("team", "coder").version == 2


def test_what_does_not_come_in_stays(service: RegistryService, team: Path) -> None:
    service.import_registries(source(team), BOB)
    result = service.import_registries(text(registry({"new": {}}, description="ours")), BOB)
    assert names(result) == ["created team/new", "updated team"]
    team_now = service.get_registry("team")
    assert set(team_now.profiles) == {"base", "coder", "new"}
    assert (team_now.default_profile_slug, team_now.callers) == ("coder", {"vscode": "coder"})


def test_an_import_stands_in_the_audit(service: RegistryService, team: Path) -> None:
    service.import_registries(source(team), BOB)
    events = service.events(EventQuery(newest_first=False))
    assert [(e.action, e.actor, e.profile) for e in events] == [
        ("import", "bob", ""),
        ("import", "bob", "base"),
        ("import", "bob", "coder"),
    ]
    assert '"chat.engine"' in events[2].diff and KEY not in str(events)


def test_a_dry_run_tells_everything_and_writes_nothing(service: RegistryService, team: Path) -> None:
    result = service.import_registries(source(team), BOB, dry_run=True)
    assert names(result) == ["created team", "created team/base", "created team/coder"]
    changes = [change for step in result.steps for change in step.differences(result.after)]
    assert "chat.engine" in [change.path for change in changes] and KEY not in str(changes)
    assert [row.slug for row in service.list_registries()] == ["default"]


def test_a_registry_gets_another_name_and_references_follow(service: RegistryService) -> None:
    bundle = """\
        registries:
          lib: {profiles: {base: {}}}
          team: {profiles: {one: {extends: [lib/base]}, two: {extends: [one]}}}
    """
    service.import_registries(text(bundle, "lib=shared", "team=crew"), BOB)
    assert str(service.get_profile("crew", "one").bases[0]) == "shared/base"
    assert str(service.get_profile("crew", "two").bases[0]) == "crew/one"


def test_only_the_registries_that_are_wanted_come_in(service: RegistryService) -> None:
    service.import_registries(text("registries: {a: {profiles: {x: {}}}, b: {profiles: {x: {}}}}", "b"), BOB)
    assert [row.slug for row in service.list_registries()] == ["b", "default"]


def test_a_registry_that_is_not_there_cannot_be_wanted(service: RegistryService, team: Path) -> None:
    assert isinstance(raised(service, text(TEAM, "teem")), RegistryNotFound)
    with pytest.raises(RegistryNotFound, match="did you mean 'team'"):
        source(team.rename(team.with_suffix(".db.yaml")), "teem").registries(service.catalogue)
    with pytest.raises(UsageError):
        Chosen(["a=c", "b=c"])


def test_a_legacy_map_comes_in_as_a_registry(service: RegistryService) -> None:
    service.import_registries(text("agent: {ai-chat: {ai-engine: small}}", "default=old"), BOB)
    assert engine(service, "agent", registry_slug="old") == "small"


def test_with_replace_what_does_not_come_in_is_deleted(service: RegistryService, team: Path) -> None:
    service.import_registries(source(team), BOB)
    result = service.import_registries(text(registry({"lone": {}})), BOB, replace_all=True)
    assert names(result) == ["created team/lone", "updated team", "deleted team/coder", "deleted team/base"]
    assert list(service.get_registry("team").profiles) == ["lone"]


def test_what_others_need_is_not_deleted(service: RegistryService, team: Path) -> None:
    service.import_registries(source(team), BOB)
    service.create_registry({"slug": "other", "profiles": {"user": {"extends": ["team/base"]}}}, BOB)
    error = raised(service, text(registry({"lone": {}})), replace_all=True)
    assert "'other/user': would no longer resolve" in str(error)


# What it refuses


def test_every_fault_is_told_with_its_line(service: RegistryService) -> None:
    bundle = """\
        registries:
          team:
            default_profile_slug: nobody
            profiles:
              one: {runtime: {step_settings_patch: {chat: {enigne: x}}}}
              two: {extends: [nowhere]}
              three: {runtime: {tools: 7}}
    """
    assert str(raised(service, text(bundle))).startswith("bundle.yaml:7:")  # its own faults first, alone
    rest = str(raised(service, text(bundle.replace("tools: 7", "tools: []"))))
    assert [line.partition(": ")[0][:13] for line in rest.splitlines()] == [
        "bundle.yaml:5", "bundle.yaml:6", "bundle.yaml:3",
    ]  # fmt: skip
    assert "enigne" in rest and "nowhere" in rest and "nobody" in rest


def test_layers_that_clash_are_a_fault_of_the_profile(service: RegistryService) -> None:
    clash = registry(
        {"base": {"extensions": {"a.b@v1": {"x": {"y": 1}}}}, "user": {"extends": ["base"], **settings(engine="e")}},
        enforced={"step_settings_patch": {"chat": {"stop": {"$append": ["x"]}}}},
        defaults={"step_settings_patch": {"chat": "nothing"}},
    )
    assert isinstance(raised(service, text(clash)), ValidationError)


def test_a_read_only_profile_is_not_overwritten(service: RegistryService, team: Path) -> None:
    service.import_registries(source(team), BOB)
    for slug in ("coder", "base"):
        service.update_profile("team", slug, {"policy": {"read_only": True}}, BOB)
    assert isinstance(raised(service, text(registry({"coder": {}}))), ProfileReadOnly)
    both = raised(service, text(registry({"coder": {}, "base": {}})))
    assert isinstance(both, Refused) and str(both).count("is read-only") == 2


def test_what_stands_on_it_must_go_on_resolving(service: RegistryService) -> None:
    service.import_registries(text(registry({"base": {"extends": []}, "user": {"extends": ["base"]}})), BOB)
    error = raised(service, text(registry({"base": {"extends": ["user"]}})))
    assert "cycle" in str(error)


def test_where_nothing_is_written_nothing_comes_in() -> None:
    with pytest.raises(SourceReadOnly):
        opened("builtin:").import_registries(text(TEAM), BOB)


def test_a_source_that_is_not_there_or_broken_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound):
        source(f"sqlite:{tmp_path / 'missing.db'}")
    broken = tmp_path / "store"
    write(broken / "profiles" / "default.yaml", "servers: 7\n")
    with pytest.raises(ValidationError, match="servers"):
        source(f"profile-store:{broken}")


# All or nothing


def test_an_interrupted_import_has_written_nothing(service: RegistryService, team: Path) -> None:
    def interrupted(what: str, done: int, total: int) -> None:
        if what == "writing":
            raise KeyboardInterrupt

    service.create_registry({"slug": "own"}, BOB)
    with pytest.raises(KeyboardInterrupt):
        service.import_registries(source(team), BOB, told=interrupted)
    assert _seq(service) == 1
    service.import_registries(source(team), BOB)
    assert _seq(service) == 4


def test_what_another_process_writes_meanwhile_is_looked_at_again(
    service: RegistryService, database_url: str, team: Path
) -> None:
    service.import_registries(source(team), BOB)
    other = opened(database_url)

    def meanwhile(what: str, done: int, total: int) -> None:
        if what == "checking" and _seq(other) == 3:
            other.update_profile("team", "coder", {"policy": {"read_only": True}}, ALICE)

    with pytest.raises(ProfileReadOnly):
        service.import_registries(text(registry({"coder": {}})), BOB, told=meanwhile)
    other.close()


def test_many_profiles_go_through(service: RegistryService) -> None:
    profiles = {
        f"p{n}": settings(engine=f"m{n}") | ({"extends": [f"p{n // 10}"]} if n > 9 else {}) for n in range(1500)
    }
    result = service.import_registries(text(registry(profiles)), BOB)
    assert len(result.steps) == 1501
    again = service.import_registries(text(registry(profiles | {"p7": settings(engine="new")})), BOB)
    assert (names(again), again.unchanged) == (["updated team/p7"], 1500)


# Secrets


def test_an_export_holds_no_secret_and_says_which_are_left_out(service: RegistryService, team: Path) -> None:
    service.import_registries(source(team), BOB)
    exported = service.export_registries(["team"])
    assert exported.hidden == ["team/base api.api_keys.openai-api-key"]
    assert KEY not in json.dumps(exported.document)


def test_what_is_exported_and_imported_changes_nothing(service: RegistryService, team: Path) -> None:
    service.import_registries(source(team), BOB)
    result = service.import_registries(text(service.export_registries().document), BOB)
    assert result.steps == []


def test_a_redacted_value_keeps_what_is_there(service: RegistryService, team: Path) -> None:
    service.import_registries(source(team), BOB)
    document = service.export_registries(["team"]).document
    document["registries"]["team"]["profiles"]["base"]["description"] = "new"
    assert names(service.import_registries(text(document), BOB)) == ["updated team/base"]
    keys = service.get_profile("team", "base").runtime.step_settings_patch["api"]["api_keys"]
    assert keys == {"openai-api-key": KEY}


def test_a_redacted_value_is_an_error_where_there_is_nothing(service: RegistryService) -> None:
    hidden = redact({"runtime": {"servers": [{"name": "git", "cmd": ["x"], "env": {"A": "1", "B": "2"}}]}})
    error = raised(service, text(registry({"coder": hidden})))
    assert isinstance(error, ValidationError)
    assert [fault.field.rpartition(".")[2] for fault in error.faults] == ["A", "B"]
    assert all(fault.place and fault.place.line for fault in error.faults)


def test_secrets_come_along_from_a_source(service: RegistryService, team: Path, tmp_path: Path) -> None:
    with_secrets = opened(f"sqlite:{tmp_path / 'old.db'}?optional=1")
    with_secrets.import_registries(source(team), BOB)
    with_secrets.close()
    service.import_registries(source(f"sqlite:{tmp_path / 'old.db'}"), BOB)
    keys = resolved(service, "coder", registry_slug="team").effective_step_settings["api"]["api_keys"]
    assert keys["openai-api-key"] == KEY


def test_a_profile_resolves_in_the_new_place_as_in_the_old(service: RegistryService, team: Path) -> None:
    before = resolved(opened(team), "coder").runtime_digest
    service.import_registries(source(team), BOB)
    assert resolved(service, "coder", registry_slug="team").runtime_digest == before


def test_what_cannot_be_used_is_left_out_of_an_export_and_said(tmp_path: Path) -> None:
    file = write(tmp_path / "t.yaml", "slug: team\nprofiles: {good: {}, bad: {runtime: {tools: 7}}}\n")
    exported = opened(file).export_registries()
    assert list(exported.document["registries"]["team"]["profiles"]) == ["good"]
    assert exported.left_out[0].startswith("team/bad: ")


# Over other sources


def test_what_a_lower_source_says_already_is_not_written(service: RegistryService) -> None:
    exported = service.export_registries(["default"]).document
    assert service.import_registries(text(exported), BOB).steps == []


def test_a_first_layer_over_a_lower_source_counts_on(team: Path, database_url: str) -> None:
    service = opened(team, optional(database_url))
    result = service.import_registries(text(registry({"coder": {"display_name": "Pilot", "extends": ["base"]}})), BOB)
    profile = service.get_profile("team", "coder")
    assert (profile.version, profile.display_name) == (8, "Pilot")
    assert engine(service, "coder", registry_slug="team") == "one"
    again = service.import_registries(text(registry({"coder": {"display_name": "Pilot", "extends": ["base"]}})), BOB)
    assert "created team/coder" in names(result) and again.steps == []
    service.close()


def test_a_value_that_a_source_above_overrules_is_refused(team: Path, database_url: str) -> None:
    service = opened(optional(database_url), f"{team}?readonly=1")
    error = raised(service, text(registry({"coder": settings(engine="other")})))
    assert isinstance(error, SourceReadOnly) and "chat.engine" in str(error)
    service.close()


# Into files


def test_a_new_registry_of_a_file_is_one_write(tmp_path: Path, team: Path) -> None:
    service = opened(f"{tmp_path / 'new.yaml'}?optional=1")
    service.import_registries(source(team), BOB)
    assert engine(opened(tmp_path / "new.yaml"), "coder") == "one"
    assert service.import_registries(source(team), BOB).steps == []


def test_what_was_written_to_a_file_before_an_error_is_said(tmp_path: Path) -> None:
    service = opened(write(tmp_path / "t.yaml", "slug: team\nprofiles: {}\n"))

    def meanwhile(what: str, done: int, total: int) -> None:
        if what == "writing":
            profiles = "one: {display_name: mine}, two: {display_name: mine}"
            write(tmp_path / "t.yaml", f"slug: team\nprofiles: {{{profiles}}}\n")

    service.import_registries(text(registry({"one": {}, "two": {}})), BOB, told=meanwhile)
    assert set(service.get_registry("team").profiles) == {"one", "two"}


def test_a_file_that_cannot_be_written_any_more_says_what_was(tmp_path: Path) -> None:
    store = write(tmp_path / "store" / "profiles" / "default.yaml", "servers: []\n").parents[1]

    def meanwhile(what: str, done: int, total: int) -> None:
        if what == "writing":
            (store / "profiles" / "b.yaml").mkdir()

    with pytest.raises(LiveryError) as error:
        opened(store).import_registries(text(registry({"a": {}, "b": {}, "c": {}}, "store")), BOB, told=meanwhile)
    (note,) = error.value.__notes__
    assert note == "written before that: store/a (created); not written: store/b, store/c"
    assert (store / "profiles" / "a.yaml").exists() and not (store / "profiles" / "c.yaml").exists()


def test_what_a_profile_store_has_no_place_for_is_named_first(tmp_path: Path) -> None:
    store = write(tmp_path / "store" / "profiles" / "default.yaml", "servers: []\n").parents[1]
    service = opened(store)
    profiles = {"a": {"runtime": {"system_prompt": "x"}}, "b": {"extends": ["a"]}, "c": {}}
    error = raised(service, text(registry(profiles, "store")))
    assert isinstance(error, ValidationError)
    assert "store/a" in str(error) and "system_prompt" in str(error) and "store/b" in str(error)
    assert not (store / "profiles" / "c.yaml").exists()


def test_a_profile_store_comes_in_and_goes_out(service: RegistryService, tmp_path: Path) -> None:
    servers = "servers: [{name: git, transport: stdio, cmd: [mcp-git], env: {TOKEN: x}}]\n"
    store = write(tmp_path / "store" / "profiles" / "default.yaml", servers).parents[1]
    service.import_registries(source(store), BOB)
    assert service.get_registry("store").settings_schema == "profile-store"
    other = write(tmp_path / "copy" / "profiles" / "default.yaml", "servers: []\n").parents[1]
    copy = opened(other)
    bundle = SourceBundle(parse_source(str(store)), schema_named, Chosen(["store=copy"]))
    copy.import_registries(bundle, BOB)
    assert resolved(copy, "default").effective_servers[0]["cmd"] == ["mcp-git"]


def test_config_profiles_take_what_they_have_a_place_for(tmp_path: Path) -> None:
    write(tmp_path / "wa" / "wa.toml", 'model = "small"\n')
    service = opened(f"config-profiles:{tmp_path / 'wa'}")
    profile = {"description": "Quick", "runtime": {"step_settings_patch": {"model": "tiny"}}}
    service.import_registries(text(registry({"quick": profile}, "wa")), BOB)
    assert resolved(service, "quick").effective_step_settings["model"] == "tiny"
    error = raised(service, text(registry({"slow": {"runtime": {"system_prompt": "x"}}}, "wa")))
    assert isinstance(error, Unsupported)


def test_a_fault_of_a_base_is_told_once(service: RegistryService) -> None:
    profiles = "".join(f"      p{number}: {{extends: [base]}}\n" for number in range(5))
    base = "      base: {runtime: {middlewares: [{name: m, config: {big: 12345678901234567890}}]}}\n"
    text = f"    slug: wide\n    profiles:\n{base}{profiles}"
    with pytest.raises(ValidationError) as error:
        service.import_registries(TextBundle(textwrap.dedent(text), "wide.yaml", Chosen()))
    assert [str(fault.place) for fault in error.value.faults] == ["wide.yaml:3:53"]
