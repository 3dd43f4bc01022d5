"""Sources in order, seen as one."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from livery.core.profile import Profile, Registry, ResolveInput, RuntimeSpec
from livery.errors import (
    LiveryError,
    ProfileNotFound,
    RegistryNotFound,
    SourceNotFound,
    SourceReadOnly,
    SourceUnavailable,
    ValidationError,
)
from livery.service import RegistryService
from livery.settings import schema_named
from livery.stores.chain import Chain, Source
from livery.stores.memory import MemoryStore
from livery.stores.opening import open_chain
from livery.stores.protocols import BrokenItem, Loaded
from livery.stores.urls import parse_source
from tests.support.registries import engine, opened, resolved, write

LOWER = """\
    slug: team
    display_name: Lower
    description: from below
    default_profile_slug: coder
    callers: {vscode: coder, cli: coder}
    profiles:
      coder:
        display_name: Coder
        runtime:
          step_settings_patch: {chat: {engine: lower, temperature: 0.5}}
          system_prompt: Write code.
"""
UPPER = """\
    slug: team
    profiles:
      coder:
        runtime:
          step_settings_patch: {chat: {engine: upper}}
"""


@pytest.fixture
def lower(tmp_path: Path) -> Path:
    return write(tmp_path / "lower.yaml", LOWER)


@pytest.fixture
def upper(tmp_path: Path) -> Path:
    return write(tmp_path / "upper.yaml", UPPER)


def chain_of(*sources: Path | str) -> Chain:
    return open_chain([str(source) for source in sources], schema_named)


# ---- layers


def test_a_later_source_changes_one_field_and_leaves_the_rest(lower: Path, upper: Path) -> None:
    found = resolved(opened(lower, upper))
    assert found.effective_step_settings["chat"]["engine"] == "upper"
    assert found.effective_step_settings["chat"]["temperature"] == 0.5
    assert found.effective_system_prompt == "Write code."
    assert found.lineage[0].source == f"yaml:{lower}, yaml:{upper}"


def test_a_user_file_changes_one_field_of_the_built_in_profile(tmp_path: Path) -> None:
    text = "slug: default\nprofiles: {default: {runtime: {system_prompt: Mine.}}}\n"
    found = resolved(opened("builtin:", write(tmp_path / "user.yaml", text)))
    assert (found.effective_system_prompt, found.effective_step_settings["chat"]["engine"]) == ("Mine.", "echo")


def test_of_registry_fields_the_later_source_wins(lower: Path, upper: Path) -> None:
    write(upper, UPPER.replace("slug: team", "slug: team\n    display_name: Upper\n    callers: {cli: other}", 1))
    head = opened(lower, upper).get_registry("team")
    assert (head.display_name, head.description) == ("Upper", "from below")
    assert head.callers == {"vscode": "coder", "cli": "other"}


def test_of_enforced_values_the_earlier_source_wins(lower: Path, upper: Path) -> None:
    enforce = "\n    enforced: {step_settings_patch: {chat: {engine: %s}}}"
    write(lower, LOWER.replace("slug: team", "slug: team" + enforce % "law", 1))
    write(upper, UPPER.replace("slug: team", "slug: team" + enforce % "loophole", 1))
    service = opened(lower, upper)
    assert engine(service) == "law"
    head = service.get_registry("team")
    assert head.enforced.step_settings_patch == {"chat": {"engine": "law"}}


def test_of_defaults_the_later_source_wins(lower: Path, upper: Path) -> None:
    default = "\n    defaults: {step_settings_patch: {client: {timeout: %s}}}"
    write(lower, LOWER.replace("slug: team", "slug: team" + default % "10", 1))
    write(upper, UPPER.replace("slug: team", "slug: team" + default % "20", 1))
    assert resolved(opened(lower, upper)).effective_step_settings["client"]["timeout"] == 20


def test_policies_of_all_sources_combine_restrictively(lower: Path, upper: Path) -> None:
    allow = "\n    policy: {allow_overrides: true, allowed_override_keys: [%s]}"
    write(lower, LOWER.replace("slug: team", "slug: team" + allow % "chat.temperature, chat.top_p", 1))
    write(upper, UPPER.replace("slug: team", "slug: team" + allow % "chat.engine, chat.top_p", 1))
    service = opened(lower, upper)
    assert service.get_registry("team").policy.allowed_override_keys == ("chat.top_p",)
    with pytest.raises(LiveryError, match=r"chat\.engine"):
        resolved(service, request_overrides={"chat.engine": "x"})


def test_three_files_make_one_profile_over_its_bases(tmp_path: Path) -> None:
    provider = (
        "slug: provider-openai\nprofiles: {default: {inference_settings: {api: {api_keys: {openai-api-key: k}}}}}\n"
    )
    team = (
        "slug: team-agent\nprofiles:\n"
        "  default: {extends: [provider-openai/default], inference_settings: {chat: {engine: gpt-4.1-mini}}}\n"
        "  assistant: {extends: [default], inference_settings: {chat: {engine: m, api_type: openai-responses}}}\n"
        "  analyst: {extends: [default], inference_settings: {chat: {engine: gpt-5}}}\n"
    )
    user = (
        "slug: user-overrides\nprofiles:\n"
        "  assistant: {extends: [team-agent/assistant], inference_settings: {chat: {engine: gpt-5-nano}}}\n"
    )
    files = [write(tmp_path / f"{name}.yaml", text) for name, text in (("p", provider), ("t", team), ("u", user))]
    service = opened(*files)
    found = resolved(service, "assistant")
    assert [f"{entry.registry}/{entry.profile}" for entry in found.lineage] == [
        "provider-openai/default",
        "team-agent/default",
        "team-agent/assistant",
        "user-overrides/assistant",
    ]
    chat = found.effective_step_settings["chat"]
    assert (chat["engine"], chat["api_type"]) == ("gpt-5-nano", "openai-responses")
    assert found.effective_step_settings["api"]["api_keys"] == {"openai-api-key": "k"}
    assert engine(service, "analyst") == "gpt-5"


def test_bases_that_run_in_a_circle_through_two_files_are_found_on_load(tmp_path: Path) -> None:
    x = write(tmp_path / "x.yaml", "slug: x\nprofiles:\n  default: {extends: [y/default]}\n")
    y = write(tmp_path / "y.yaml", "slug: y\nprofiles:\n  default: {extends: [x/default]}\n")
    service = opened(x, y)
    (finding,) = [finding for finding in service.findings if finding.blocking]
    assert "x/default" in finding.fault.reason and "y/default" in finding.fault.reason
    with pytest.raises(LiveryError, match="closes a cycle"):
        resolved(service, "default")


# ---- versions and the writer


def test_the_version_of_a_profile_is_that_of_the_writers_layer(lower: Path, upper: Path) -> None:
    write(lower, LOWER + "        metadata: {version: 7}\n")
    assert opened(f"{lower}?readonly=1").get_profile("team", "coder").version == 7
    write(upper, UPPER + "        metadata: {version: 3}\n")
    assert opened(lower, upper).get_profile("team", "coder").version == 3
    assert opened(lower, upper, writer=str(lower)).get_profile("team", "coder").version == 7
    assert opened(f"{lower}?readonly=1", f"{upper}?readonly=1").get_profile("team", "coder").version == 3


def test_the_writer_is_the_last_source_that_can_be_written(lower: Path, upper: Path) -> None:
    for sources, expected in [
        ((lower, upper), f"yaml:{upper}"),
        ((lower, f"{upper}?readonly=1"), f"yaml:{lower}"),
        (("builtin:", lower), f"yaml:{lower}"),
    ]:
        writer = opened(*sources).writer
        assert writer is not None
        assert writer.label == expected
    assert opened("builtin:").writer is None


def test_a_named_writer_is_one_of_the_sources(lower: Path, upper: Path) -> None:
    writer = opened(lower, upper, writer=f"yaml:{lower}").writer
    assert writer is not None
    assert writer.label == f"yaml:{lower}"
    with pytest.raises(ValidationError, match=r"other.yaml is not one of the sources"):
        opened(lower, writer="other.yaml")


def test_without_a_writer_a_write_says_what_to_do(lower: Path) -> None:
    with pytest.raises(SourceReadOnly, match="readonly=1"):
        opened("builtin:", f"{lower}?readonly=1").create_profile("team", {"slug": "x"})
    with pytest.raises(SourceReadOnly, match="add a source that can be written"):
        opened("builtin:").create_profile("default", {"slug": "x"})


def test_one_source_twice_is_an_error(lower: Path) -> None:
    with pytest.raises(ValidationError, match="named twice"):
        chain_of(lower, f"yaml:{lower}")


# ---- order of search


def test_a_profile_alone_is_searched_from_the_top(tmp_path: Path) -> None:
    shared = "registries: {shared: {profiles: {default: %s, analyst: %s}}}\n"
    private = "slug: private\ndefault_profile_slug: default\nprofiles: {default: %s, analyst: %s}\n"
    of = "{runtime: {step_settings_patch: {chat: {engine: %s}}}}"
    low = write(tmp_path / "shared.yaml", shared % (of % "s", of % "sa"))
    top = write(tmp_path / "private.yaml", private % (of % "gpt-5-mini", of % "gpt-4o-mini"))
    service = opened(low, top)
    assert engine(service, "analyst") == "gpt-4o-mini"
    assert engine(service) == "gpt-5-mini"
    assert engine(service, "analyst", registry_slug="shared") == "sa"


def test_the_first_registry_of_the_top_is_the_default_and_the_rest_is_searched_after_it(tmp_path: Path) -> None:
    low = write(tmp_path / "a.yaml", "slug: shared\nprofiles: {default: {}}\n")
    top = write(tmp_path / "b.yaml", "registries: {zeta: {}, private: {profiles: {assistant: {}}}}\n")
    service = opened(low, top)
    assert list(service.catalogue.registries) == ["private", "zeta", "shared"]
    assert resolved(service).registry_slug == "private"
    found = resolved(service, "default")
    assert (found.registry_slug, found.selection.how) == ("shared", "search")


def test_registries_are_listed_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", "registries: {zeta: {}, alpha: {}}\n")
    assert [row.slug for row in opened(path).list_registries()] == ["alpha", "zeta"]


def test_what_is_not_there_is_not_found(lower: Path) -> None:
    service = opened(lower)
    with pytest.raises(ProfileNotFound, match="did you mean 'coder'"):
        resolved(service, "codr")
    with pytest.raises(RegistryNotFound, match="did you mean 'team'"):
        resolved(service, "coder", registry_slug="tem")


# ---- sources at fault


def test_a_required_source_that_is_not_there_is_named(lower: Path, tmp_path: Path) -> None:
    service = opened(lower, tmp_path / "none.yaml")
    with pytest.raises(SourceNotFound, match=r"none\.yaml"):
        resolved(service)


def test_an_optional_source_may_be_absent(lower: Path, tmp_path: Path) -> None:
    assert engine(opened(lower, f"{tmp_path / 'none.yaml'}?optional=1")) == "lower"


def test_an_optional_source_that_cannot_be_read_is_at_fault_all_the_same(lower: Path, tmp_path: Path) -> None:
    (tmp_path / "dir.yaml").mkdir()
    with pytest.raises(SourceUnavailable, match="is a directory"):
        resolved(opened(lower, f"yaml:{tmp_path / 'dir.yaml'}?optional=1"))


def test_a_source_that_cannot_be_read_may_hold_any_registry(lower: Path, tmp_path: Path) -> None:
    broken = write(tmp_path / "broken.yaml", "slug: [\n")
    service = opened(lower, broken)
    for ask in (lambda: resolved(service), service.list_registries, lambda: service.get_registry("team")):
        with pytest.raises(SourceUnavailable, match=r"broken\.yaml:"):
            ask()


def test_a_source_that_says_which_registries_it_holds_leaves_the_others_usable(lower: Path, tmp_path: Path) -> None:
    broken = write(tmp_path / "broken.yaml", "slug: [\n")
    service = opened(lower, f"{broken}?registries=private")
    assert engine(service, "coder", registry_slug="team") == "lower"
    with pytest.raises(SourceUnavailable):
        resolved(service, "coder", registry_slug="private")


def test_a_file_without_a_slug_may_hold_any_registry(lower: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="a registry needs a slug"):
        resolved(opened(lower, write(tmp_path / "b.yaml", "profiles: {coder: {}}\n")))


def test_a_broken_profile_fails_what_needs_it_and_nothing_else(tmp_path: Path) -> None:
    text = "slug: t\nprofiles:\n  good: {}\n  bad: {x: 1}\n  user: {extends: [bad]}\n  default: {}\n"
    service = opened(write(tmp_path / "t.yaml", text))
    assert resolved(service, "good").profile_slug == "good"
    for slug in ("bad", "user"):
        with pytest.raises(ValidationError, match=r"t\.yaml:4:\d+: registry\.profiles\[bad\]\.x: unknown field"):
            resolved(service, slug)
    assert {row.slug: bool(row.error) for row in service.list_profiles()} == {
        "bad": True,
        "default": False,
        "good": False,
        "user": False,
    }


def test_a_broken_layer_hides_no_lower_layer_silently(lower: Path, upper: Path) -> None:
    write(upper, "slug: team\nprofiles: {coder: {nonsense: 1}}\n")
    with pytest.raises(ValidationError, match="unknown field 'nonsense'"):
        resolved(opened(lower, upper))


def test_a_broken_registry_leaves_the_others_usable(tmp_path: Path) -> None:
    text = "registries:\n  bad: {fallback: maybe, profiles: {a: {}}}\n  good: {profiles: {a: {}}}\n"
    service = opened(write(tmp_path / "t.yaml", text))
    assert resolved(service, "a", registry_slug="good").registry_slug == "good"
    with pytest.raises(ValidationError, match=r"t\.yaml:2:\d+: registries\[bad\]\.fallback"):
        resolved(service, "a", registry_slug="bad")


def test_a_registry_that_a_store_cannot_give_at_all_leaves_the_others_usable() -> None:
    class HalfBroken(MemoryStore):
        def load_registries(self) -> Loaded:
            return super().load_registries()._replace(broken=(BrokenItem("row", "", ValidationError("row", "bad")),))

    store = HalfBroken([Registry(slug="good", profiles={"a": Profile(slug="a", registry="good")})])
    service = RegistryService(Chain([Source(parse_source("memory:"), store)], schema_named), schema_named)
    assert resolved(service, "a", registry_slug="good").profile_slug == "a"
    with pytest.raises(ValidationError, match="row: bad"):
        service.get_registry("row")


def test_layers_that_do_not_fit_fail_only_their_profile(tmp_path: Path) -> None:
    low = write(
        tmp_path / "a.yaml",
        "slug: t\nsettings_schema: free\nprofiles: {bad: {runtime: {step_settings_patch: {x: 1}}}}\n",
    )
    top = write(
        tmp_path / "b.yaml", "slug: t\nprofiles: {bad: {runtime: {step_settings_patch: {x: {y: 1}}}}, good: {}}\n"
    )
    service = opened(low, top)
    assert list(service.get_registry("t").profiles) == ["good"]
    assert [row.slug for row in service.list_profiles("t")] == ["bad", "good"]
    with pytest.raises(LiveryError, match="mapping"):
        resolved(service, "bad")


# ---- changes


def reloaded(service: RegistryService) -> bool:
    return service.refresh()


def test_a_change_of_a_file_makes_a_new_generation_and_leaves_the_old_one(lower: Path) -> None:
    service = opened(lower)
    before = service.catalogue
    write(lower, LOWER.replace("engine: lower", "engine: changed"))
    assert service.refresh()
    assert engine(service) == "changed"
    patch = before.registries["team"].profiles["coder"].profile.runtime.step_settings_patch
    assert patch == {"chat": {"engine": "lower", "temperature": 0.5}}
    assert service.catalogue.generation == before.generation + 1


def test_a_touch_or_a_comment_is_no_change(lower: Path) -> None:
    service = opened(lower)
    before = service.catalogue
    os.utime(lower, ns=(1, 1))
    assert not service.refresh()
    lower.write_text("# a remark\n" + lower.read_text())
    assert not service.refresh()
    assert service.catalogue is before


def test_a_comment_moves_the_lines_of_faults(tmp_path: Path) -> None:
    path = write(tmp_path / "t.yaml", "slug: t\nprofiles: {a: {runtime: {step_settings_patch: {chatt: {}}}}}\n")
    service = opened(path)
    path.write_text("# a remark\n" + path.read_text())
    service.refresh()
    (fault,) = [finding.fault for finding in service.findings if finding.blocking]
    assert fault.place is not None
    assert fault.place.line == 3


@pytest.mark.parametrize(("old", "new"), [("1", "true"), ("0", "false"), ("1", "1.5"), ("a", "b")])
def test_a_change_of_one_value_is_seen_whatever_python_calls_equal(tmp_path: Path, old: str, new: str) -> None:
    text = "slug: t\nsettings_schema: free\nprofiles: {default: {runtime: {step_settings_patch: {x: %s}}}}\n"
    path = write(tmp_path / "t.yaml", text % old)
    service = opened(path)
    before = repr(resolved(service).effective_step_settings["x"])
    path.write_text(text % new)
    assert service.refresh()
    assert repr(resolved(service).effective_step_settings["x"]) != before


def test_a_write_in_place_of_the_same_length_in_the_same_instant_is_seen(lower: Path) -> None:
    service = opened(lower)
    for name in ("aaaaa", "bbbbb", "ccccc", "ddddd") * 3:
        lower.write_text(LOWER.replace("engine: lower", f"engine: {name}").replace("\n    ", "\n").lstrip())
        service.refresh()
        assert engine(service) == name


@pytest.mark.parametrize("option", ["", "?optional=1"])
def test_a_file_that_an_editor_writes_in_steps_stays_usable(tmp_path: Path, option: str) -> None:
    path = write(tmp_path / "t.yaml", "slug: t\nprofiles:\n  a: {}\n  b: {}\n")
    service = opened(f"yaml:{path}{option}")
    resolved(service, "b")

    def edit() -> None:
        for number in range(6):
            if number % 2:
                path.rename(tmp_path / "t.yaml~")  # as some editors do, the others write in place
            with path.open("w") as file:
                for part in ("", "slug: t\nprofiles:\n  a: {}\n", f"  b: {{description: '{number}'}}\n"):
                    time.sleep(0.005)
                    file.write(part)
                    file.flush()
            time.sleep(0.08)

    editor = threading.Thread(target=edit)
    editor.start()
    while editor.is_alive():
        service.refresh()
        assert "a" in service.get_registry("t").profiles
    service.refresh()
    assert service.get_profile("t", "b").description == "5"


def test_after_the_start_a_file_that_breaks_keeps_its_last_good_state(lower: Path) -> None:
    service = opened(lower)
    resolved(service)
    lower.write_text("slug: [\n")
    service.refresh()
    (source,) = service.sources
    assert engine(service) == "lower"
    assert source.stale_since_ms is not None and "lower.yaml:" in str(source.error)
    write(lower, LOWER.replace("engine: lower", "engine: mended"))
    service.refresh()
    assert (engine(service), source.error, source.stale_since_ms) == ("mended", None, None)


def test_after_the_start_a_file_that_vanishes_keeps_its_last_good_state(lower: Path) -> None:
    service = opened(lower)
    resolved(service)
    lower.unlink()
    service.refresh()
    assert engine(service) == "lower"
    assert service.sources[0].stale_since_ms is not None


def test_an_optional_file_that_vanishes_is_gone_and_one_that_appears_is_there(lower: Path, upper: Path) -> None:
    service = opened(lower, f"{upper}?optional=1")
    assert engine(service) == "upper"
    upper.unlink()
    assert service.refresh()
    assert engine(service) == "lower"
    write(upper, UPPER)
    assert service.refresh()
    assert engine(service) == "upper"


def test_after_the_start_a_profile_that_breaks_keeps_its_last_good_state_and_others_change(tmp_path: Path) -> None:
    text = "slug: t\nprofiles:\n  a: {display_name: A1}\n  b: {display_name: B1}\n"
    path = write(tmp_path / "t.yaml", text)
    service = opened(path)
    resolved(service, "a")
    path.write_text("slug: t\nprofiles:\n  a: {display_nam: A2}\n  b: {display_name: B2}\n")
    assert service.refresh()
    assert [row.display_name for row in service.list_profiles("t")] == ["A1", "B2"]
    (source,) = service.sources
    assert source.stale_since_ms is not None and source.stale_items == {("t", "a")}
    path.write_text(text.replace("A1", "A3"))
    service.refresh()
    assert [row.display_name for row in service.list_profiles("t")] == ["A3", "B1"]
    assert (source.stale_since_ms, source.stale_items) == (None, frozenset())


def test_a_profile_that_was_broken_at_the_start_has_no_last_good_state(tmp_path: Path) -> None:
    path = write(tmp_path / "t.yaml", "slug: t\nprofiles: {a: {x: 1}}\n")
    service = opened(path)
    assert service.list_profiles("t")[0].error
    path.write_text("slug: t\nprofiles: {a: {y: 1}}\n")
    service.refresh()
    with pytest.raises(ValidationError, match="unknown field 'y'"):
        resolved(service, "a")


def test_after_the_start_a_registry_whose_head_breaks_keeps_it(lower: Path) -> None:
    service = opened(lower)
    resolved(service)
    changed = LOWER.replace("callers: {vscode: coder, cli: coder}", "callers: 5").replace(
        "engine: lower", "engine: new"
    )
    write(lower, changed)
    assert service.refresh()
    assert engine(service) == "new"
    assert service.get_registry("team").callers == {"vscode": "coder", "cli": "coder"}
    assert service.sources[0].stale_items == {("team", "")}


def test_a_closed_chain_answers_from_what_it_has_and_takes_no_writes(lower: Path) -> None:
    service = opened(lower)
    resolved(service)
    service.close()
    service.close()
    with pytest.raises(SourceUnavailable, match="closed"):
        service.create_profile("team", {"slug": "x"})


def test_a_registry_without_profiles_is_fine(tmp_path: Path) -> None:
    service = opened(write(tmp_path / "t.yaml", "slug: t\n"))
    assert service.list_profiles("t") == []
    with pytest.raises(ProfileNotFound, match="has no profiles"):
        service.resolve_effective_profile(ResolveInput(registry_slug="t"))


def test_two_hundred_registries_are_read_and_searched(tmp_path: Path) -> None:
    rows = "".join(f"  r{n:03}: {{profiles: {{p{n}: {{display_name: ü{n}}}}}}}\n" for n in range(200))
    service = opened(write(tmp_path / "t.yaml", "registries:\n" + rows))
    assert len(service.list_registries()) == 200
    assert resolved(service, "p137").registry_slug == "r137"


def test_memory_sources_with_names_of_their_own_are_two() -> None:
    service = opened("memory:one", "memory:two", writer="memory:one")
    service.create_registry({"slug": "a"})
    assert [source.label for source in service.sources if source.loaded.registries] == ["memory:one"]


def test_a_runtime_given_from_python_is_held_apart() -> None:
    patch = {"chat": {"engine": "x"}}
    profile = Profile(slug="a", registry="r", runtime=RuntimeSpec(step_settings_patch=patch))
    store = MemoryStore([Registry(slug="r", profiles={"a": profile})])
    patch["chat"]["engine"] = "changed"
    held = store.get_profile("r", "a")
    assert held is not None
    assert held.runtime.step_settings_patch == {"chat": {"engine": "x"}}
