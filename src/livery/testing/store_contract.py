"""The contract of a writable store, as tests: subclass :class:`StoreContract` and give it a fixture ``opened``.

class TestMyStore(StoreContract):
    @pytest.fixture
    def opened(self, tmp_path):
        return lambda: MyStore(tmp_path / "profiles.db")
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from livery.core.names import Reference
from livery.core.profile import Metadata, PolicySpec, Profile, Registry, RuntimeSpec
from livery.errors import (
    LiveryError,
    ProfileNotFound,
    RegistryNotFound,
    SourceUnavailable,
    Unsupported,
    VersionConflict,
)
from livery.stores.protocols import WritableProfileStore, WriteOptions

ALICE = WriteOptions(actor="alice", source="seed", at_ms=1_000)
BOB = WriteOptions(actor="bob", source="api", at_ms=2_000)

HOSTILE = '\' OR 1=1; -- "$(rm)" \\ \u202e # : - | > & * ! % @ ` \t é 漢 🦊'
FULL_RUNTIME = RuntimeSpec(
    step_settings_patch={"chat": {"engine": "gpt-5-mini", "temperature": None, "stop": {"$append": ["\n\n"]}}},
    system_prompt="Line one\n  indented: yes\n\nno\n" + HOSTILE,
    middlewares=[{"name": "logging", "id": "main", "enabled": False, "config": {"level": "info", "n": 0.1}}],
    tools={"$append": ["calculator", "on", "017"]},
    servers=[{"name": "git", "cmd": ["mcp-git", "--flag"], "env": {"No": "${TOKEN}"}}],
)
FIELDS: dict[str, dict[str, Any]] = {
    "display_name": {"display_name": "x"},
    "description": {"description": "x"},
    "extends": {"extends": (Reference("team", "base"),)},
    "runtime.system_prompt": {"runtime": RuntimeSpec(system_prompt="x")},
    "runtime.middlewares": {"runtime": RuntimeSpec(middlewares=[{"name": "x"}])},
    "runtime.tools": {"runtime": RuntimeSpec(tools=["x"])},
    "runtime.servers": {"runtime": RuntimeSpec(servers=[{"name": "x", "cmd": ["x"]}])},
    "policy": {"policy": PolicySpec(allow_overrides=True)},
    "extensions": {"extensions": {"a.b@v1": {}}},
    "metadata.tags": {"metadata": Metadata(tags=("x",))},
}
"""What a layout may have a place for or not, each as fields of a profile."""
REGISTRIES, REGISTRY_FIELDS = "registries", "registry.display_name"
ALL = frozenset({*FIELDS, REGISTRIES, REGISTRY_FIELDS})


def profile(slug: str = "coder", **fields: Any) -> Profile:
    """A small profile of the registry ``team``."""
    return Profile(slug=slug, registry="team", **fields)


class StoreContract:
    """What a writable store promises. Each test gets fresh, empty storage; ``opened()`` opens it."""

    @pytest.fixture
    def opened(self) -> Callable[[], WritableProfileStore]:
        """A function that opens the storage of this test anew."""
        raise NotImplementedError("give the contract a fixture `opened`")

    survives_reopening = True
    """Whether what was written is there when the storage is opened again."""

    holds: frozenset[str] = ALL
    """What the layout has a place for: of FIELDS, several ``registries``, and fields of a registry. The promises about
    the rest are skipped, but for one: that it is refused. Such a store tests itself that what it holds comes back."""

    marks: Callable[[str], dict[str, Any]] = staticmethod(lambda text: {"display_name": text})
    """Fields by which a profile is told from one with another text, in a form that the layout can hold."""

    def needs(self, *fields: str) -> None:
        missing = [field for field in fields if field not in self.holds]
        if missing:
            pytest.skip(f"the layout has no place for {', '.join(missing)}")

    @pytest.fixture
    def store(self, opened: Callable[[], WritableProfileStore]) -> Iterator[WritableProfileStore]:
        store = opened()
        store.save_registry(Registry(slug="team"), ALICE)
        yield store
        store.close()

    # Versions

    def test_the_first_save_is_version_one_and_names_its_author(self, store: WritableProfileStore) -> None:
        saved = store.save_profile(profile(), ALICE._replace(expected_version=0)).metadata
        assert (saved.version, saved.created_by, saved.updated_by, saved.source) == (1, "alice", "alice", "seed")
        assert (saved.created_at_ms, saved.updated_at_ms) == (1_000, 1_000)

    def test_a_second_save_counts_up_and_keeps_who_created(self, store: WritableProfileStore) -> None:
        store.save_profile(profile(), ALICE)
        saved = store.save_profile(profile(**self.marks("x")), BOB._replace(expected_version=1)).metadata
        assert (saved.version, saved.created_by, saved.updated_by, saved.source) == (2, "alice", "bob", "api")
        assert (saved.created_at_ms, saved.updated_at_ms) == (1_000, 2_000)

    def test_a_save_of_another_version_is_refused_and_changes_nothing(self, store: WritableProfileStore) -> None:
        before = store.save_profile(profile(**self.marks("old")), ALICE)
        with pytest.raises(VersionConflict) as caught:
            store.save_profile(profile(**self.marks("new")), BOB._replace(expected_version=999))
        conflict = caught.value
        assert (conflict.resource, conflict.slug, conflict.expected, conflict.actual) == ("profile", "coder", 999, 1)
        assert store.get_profile("team", "coder") == before

    def test_expecting_a_version_of_what_is_not_there_is_a_conflict_with_zero(
        self, store: WritableProfileStore
    ) -> None:
        with pytest.raises(VersionConflict) as caught:
            store.save_profile(profile(), ALICE._replace(expected_version=1))
        assert (caught.value.expected, caught.value.actual) == (1, 0)

    def test_expecting_nothing_where_something_is_is_a_conflict(self, store: WritableProfileStore) -> None:
        store.save_profile(profile(), ALICE)
        with pytest.raises(VersionConflict):
            store.save_profile(profile(), BOB._replace(expected_version=0))

    def test_a_recreated_profile_goes_on_from_its_last_version(self, store: WritableProfileStore) -> None:
        store.save_profile(profile(), ALICE)
        store.save_profile(profile(**self.marks("x")), ALICE)
        store.delete_profile(Reference("team", "coder"), ALICE._replace(expected_version=2))
        assert store.get_profile("team", "coder") is None
        assert store.save_profile(profile(), ALICE).version == 3

    def test_a_new_layer_starts_above_the_version_it_is_laid_over(self, store: WritableProfileStore) -> None:
        saved = store.save_profile(profile(), ALICE._replace(expected_version=0, floor=7))
        assert saved.version == 8

    def test_the_runtime_version_moves_only_with_runtime_and_bases(self, store: WritableProfileStore) -> None:
        self.needs("description", "runtime.tools", "extends")
        store.save_profile(profile(), ALICE)
        described = store.save_profile(profile(description="new words"), ALICE)
        changed = store.save_profile(profile(runtime=RuntimeSpec(tools=["clock"])), ALICE)
        based = store.save_profile(
            profile(runtime=RuntimeSpec(tools=["clock"]), extends=(Reference("team", "base"),)), ALICE
        )
        assert [p.runtime_version for p in (described, changed, based)] == [1, 3, 4]

    def test_of_writers_with_one_expected_version_exactly_one_wins(self, store: WritableProfileStore) -> None:
        store.save_profile(profile(), ALICE)
        outcomes: list[str] = []

        def write(name: str) -> None:
            try:
                store.save_profile(profile(**self.marks(name)), BOB._replace(expected_version=1))
                outcomes.append("won")
            except VersionConflict:
                outcomes.append("lost")

        threads = [threading.Thread(target=write, args=(f"w{number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["lost"] * 7 + ["won"]

    def test_a_layer_that_leaves_the_runtime_alone_keeps_the_version_of_that_below(
        self, store: WritableProfileStore
    ) -> None:
        self.needs("description", "runtime.tools")
        over = ALICE._replace(expected_version=0, floor=7)
        below = Metadata(runtime_version=3)
        described = store.save_profile(profile("a", description="mine", metadata=below), over)
        changed = store.save_profile(profile("b", runtime=RuntimeSpec(tools=["x"]), metadata=below), over)
        assert [(p.version, p.runtime_version) for p in (described, changed)] == [(8, 3), (8, 8)]

    # Content

    def test_what_was_saved_comes_back_as_it_was(self, store: WritableProfileStore) -> None:
        self.needs(*FIELDS)
        full = profile(
            display_name=HOSTILE,
            description="two\nlines",
            extends=(Reference("team", "base"), Reference("other", "base")),
            runtime=FULL_RUNTIME,
            policy=PolicySpec(allow_overrides=True, allowed_override_keys=("chat.*",), denied_override_keys=("tools",)),
            metadata=Metadata(tags=("a", "b c")),
            extensions={"vendor.extra@v2": ["a", {"b": [True, "note"]}]},
        )
        saved = store.save_profile(full, ALICE)
        assert store.get_profile("team", "coder") == saved
        assert replace(saved, metadata=full.metadata) == full

    def test_extensions_nobody_knows_survive_another_change(self, store: WritableProfileStore) -> None:
        self.needs("extensions", "display_name")
        saved = store.save_profile(profile(extensions={"thirdparty.feature@v1": {"x": [1, 2]}}), ALICE)
        store.save_profile(replace(saved, display_name="new"), BOB)
        kept = store.get_profile("team", "coder")
        assert kept is not None
        assert kept.extensions == {"thirdparty.feature@v1": {"x": [1, 2]}}

    def test_one_and_true_are_two_values(self, store: WritableProfileStore) -> None:
        self.needs("extensions")
        store.save_profile(profile(extensions={"a.b@v1": [1, 0]}), ALICE)
        saved = store.save_profile(profile(extensions={"a.b@v1": [True, False]}), BOB)
        kept = store.get_profile("team", "coder")
        assert kept is not None
        assert repr(kept.extensions) == repr(saved.extensions) == "{'a.b@v1': [True, False]}"

    def test_tags_are_those_of_the_last_save(self, store: WritableProfileStore) -> None:
        self.needs("metadata.tags")
        store.save_profile(profile(metadata=Metadata(tags=("a",))), ALICE)
        store.save_profile(profile(), BOB)
        kept = store.get_profile("team", "coder")
        assert kept is not None
        assert "tags" not in kept.document()["metadata"]

    def test_the_store_opened_again_holds_the_same(self, opened: Callable[[], WritableProfileStore]) -> None:
        self.needs(*FIELDS, REGISTRY_FIELDS)
        if not self.survives_reopening:
            pytest.skip("this store keeps nothing")
        first = opened()
        first.save_registry(Registry(slug="team", display_name="Team", callers={"vscode": "coder"}), ALICE)
        first.save_profile(profile(runtime=FULL_RUNTIME), ALICE)
        before = first.load_registries()
        first.close()
        second = opened()
        after = second.load_registries()
        second.close()
        assert after.registries == before.registries
        assert not after.broken

    def test_registries_are_listed_by_slug(self, store: WritableProfileStore) -> None:
        self.needs(REGISTRIES)
        store.save_registry(Registry(slug="zeta"), ALICE)
        store.save_registry(Registry(slug="alpha"), ALICE)
        assert sorted(registry.slug for registry in store.load_registries().registries) == ["alpha", "team", "zeta"]

    def test_a_changed_copy_does_not_change_the_store(self, store: WritableProfileStore) -> None:
        self.needs(*FIELDS)
        given = profile(runtime=copy.deepcopy(FULL_RUNTIME))
        saved = store.save_profile(given, ALICE)
        loaded = store.load_registries().registries[0].profiles["coder"]
        for held in (given, saved, store.get_profile("team", "coder"), loaded):
            assert held is not None
            held.runtime.step_settings_patch["chat"]["engine"] = "changed"  # type: ignore[index]
        kept = store.get_profile("team", "coder")
        assert kept is not None
        assert kept.runtime == FULL_RUNTIME

    @pytest.mark.parametrize("field", FIELDS)
    def test_what_the_layout_cannot_hold_is_refused_and_changes_nothing(
        self, store: WritableProfileStore, field: str
    ) -> None:
        if field in self.holds:
            pytest.skip("the layout can hold it")
        before = store.load_registries()
        with pytest.raises(Unsupported) as caught:
            store.save_profile(profile(**FIELDS[field]), ALICE)
        assert caught.value.field == field
        assert store.load_registries() == before

    # Registries

    def test_saving_a_registry_keeps_its_profiles(self, store: WritableProfileStore) -> None:
        self.needs(REGISTRY_FIELDS)
        store.save_profile(profile(), ALICE)
        saved = store.save_registry(
            Registry(slug="team", default_profile_slug="coder"), BOB._replace(expected_version=1)
        )
        (registry,) = store.load_registries().registries
        assert (saved.version, registry.default_profile_slug, list(registry.profiles)) == (2, "coder", ["coder"])

    def test_a_new_registry_brings_its_profiles_along(self, store: WritableProfileStore) -> None:
        self.needs(REGISTRIES, "metadata.tags")
        mine = Profile(slug="a", registry="new", metadata=Metadata(version=9, tags=("t",)))
        saved = store.save_registry(Registry(slug="new", profiles={"a": mine}), ALICE._replace(expected_version=0))
        kept = store.get_profile("new", "a")
        assert kept is not None
        assert (saved.version, kept.version, kept.metadata.created_by, kept.metadata.tags) == (1, 1, "alice", ("t",))

    def test_a_registry_of_another_version_is_refused(self, store: WritableProfileStore) -> None:
        self.needs(REGISTRY_FIELDS)
        with pytest.raises(VersionConflict):
            store.save_registry(Registry(slug="team", display_name="x"), BOB._replace(expected_version=5))
        assert store.load_registries().registries[0].display_name == ""

    def test_a_profile_needs_its_registry(self, store: WritableProfileStore) -> None:
        with pytest.raises(RegistryNotFound):
            store.save_profile(Profile(slug="x", registry="nowhere"), ALICE)

    def test_deleting_a_registry_takes_its_profiles_along(self, store: WritableProfileStore) -> None:
        store.save_profile(profile(), ALICE)
        store.delete_registry("team", ALICE)
        assert store.load_registries().registries == ()
        assert store.get_profile("team", "coder") is None

    def test_what_is_not_there_cannot_be_deleted(self, store: WritableProfileStore) -> None:
        with pytest.raises(ProfileNotFound):
            store.delete_profile(Reference("team", "nobody"), ALICE)
        with pytest.raises(RegistryNotFound):
            store.delete_registry("nowhere", ALICE)

    # Changes and closing

    def test_the_token_changes_with_the_content_and_only_with_it(self, store: WritableProfileStore) -> None:
        token = store.load_registries().token
        assert store.changes(token) == token
        store.save_profile(profile(), ALICE)
        assert store.changes(token) != token
        assert store.changes(token) == store.load_registries().token

    def test_a_closed_store_says_so_and_closes_twice(self, store: WritableProfileStore) -> None:
        store.close()
        store.close()
        calls: list[Callable[[], object]] = [
            store.load_registries,
            lambda: store.changes(""),
            lambda: store.get_profile("team", "coder"),
            lambda: store.save_profile(profile(), ALICE),
            lambda: store.delete_profile(Reference("team", "coder"), ALICE),
        ]
        for call in calls:
            with pytest.raises(SourceUnavailable):
                call()

    def test_every_refusal_is_one_of_liverys_errors(self, store: WritableProfileStore) -> None:
        with pytest.raises(LiveryError):
            store.save_profile(profile(), ALICE._replace(expected_version=3))
