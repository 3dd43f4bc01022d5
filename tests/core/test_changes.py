"""What the comparison of two generations says happened."""

from __future__ import annotations

from typing import Any

import pytest

from livery.core.catalogue import Catalogue
from livery.core.changes import Change, changes_between
from livery.core.names import Reference
from livery.core.profile import Profile
from livery.core.profiles import HeldProfiles
from livery.core.stack import ProfileLayer, ProfileStack
from livery.errors import SourceUnavailable, ValidationError
from tests.core.builders import SMALL, catalogue, registry, runtime, settings

TEAM = {
    "coder": {**settings(chat={"engine": "x", "stop": ["a"]}), "display_name": "Coder", "metadata": {"version": 3}},
    "reader": runtime(tools=["a"]),
}


def team(changed: Any = None, **head: Any) -> Catalogue:
    """The team in its next generation, with some profiles in place of its own."""
    found = catalogue(registry({**TEAM, **(changed or {})}, "team", default_profile_slug="coder", **head))
    found.registries["team"].stamp = 2
    return found


BEFORE = team()
BEFORE.registries["team"].stamp = 1


def told(after: Catalogue, before: Catalogue | None = BEFORE, **stale: Any) -> list[tuple[str, str, str]]:
    """The name, kind and scope of each change."""
    changes = changes_between(before, after, **stale)
    return [(f"{c.registry}/{c.profile}" if c.profile else c.registry, c.kind, c.scope) for c in changes]


def broken(slug: str, before: Catalogue = BEFORE) -> Catalogue:
    """The team with a profile that cannot be used."""
    found = team()
    found.registries["team"].profiles[slug].known_fault = ValidationError("runtime", "is nonsense")
    return found


def test_of_the_first_generation_everything_is_created() -> None:
    kinds = [
        ("team", "created", "runtime"),
        ("team/coder", "created", "runtime"),
        ("team/reader", "created", "runtime"),
    ]
    assert told(team(), None) == kinds


def test_equal_documents_are_no_change() -> None:
    assert told(team()) == []


def test_a_change_has_the_versions_before_and_after() -> None:
    after = team({"coder": {**TEAM["coder"], "display_name": "Coder 2", "metadata": {"version": 4}}})
    assert changes_between(BEFORE, after) == [Change("team", "coder", "updated", 3, 4, "presentation")]


@pytest.mark.parametrize(
    "changed",
    [
        {"display_name": "Other"},
        {"description": "Other"},
        {"extensions": {"web.look@v1": {"color": "red"}}},
        {"metadata": {"version": 3, "tags": ["new"]}},
        {"metadata": {"version": 4}},
    ],
)
def test_what_people_see_is_presentation(changed: dict[str, Any]) -> None:
    assert told(team({"coder": {**TEAM["coder"], **changed}})) == [("team/coder", "updated", "presentation")]


@pytest.mark.parametrize(
    "changed",
    [
        {"extends": ["reader"]},
        {"policy": {"allow_overrides": True}},
        runtime(system_prompt="Be brief."),
        settings(chat={"engine": "x", "stop": None}),
        {**settings(chat={"engine": "y"}), "display_name": "Both"},
    ],
)
def test_what_is_resolved_is_runtime(changed: dict[str, Any]) -> None:
    assert told(team({"coder": {**TEAM["coder"], **changed}})) == [("team/coder", "updated", "runtime")]


def test_true_in_place_of_one_is_a_change() -> None:
    before, after = team({"coder": settings(x={"y": 1})}), team({"coder": settings(x={"y": True})})
    before.registries["team"].stamp = 1
    assert told(after, before) == [("team/coder", "updated", "runtime")]


@pytest.mark.parametrize(
    "metadata", [{"version": 3, "updated_at_ms": 9, "updated_by": "bob"}, {"version": 3, "last_applied_at_ms": 9}]
)
def test_who_wrote_it_and_when_is_no_change(metadata: dict[str, Any]) -> None:
    assert told(team({"coder": {**TEAM["coder"], "metadata": metadata}})) == []


def test_the_order_of_keys_is_no_change() -> None:
    turned = {"stop": ["a"], "engine": "x"}
    assert told(team({"coder": {**TEAM["coder"], **settings(chat=turned)}})) == []


def test_a_registry_is_told_apart_from_its_profiles() -> None:
    assert told(team(display_name="The team")) == [("team", "updated", "presentation")]
    assert told(team(callers={"vscode": "reader"})) == [("team", "updated", "runtime")]
    assert told(team(defaults={"tools": ["b"]})) == [("team", "updated", "runtime")]


def test_what_comes_and_goes_is_created_and_deleted() -> None:
    after = team({"new": {"metadata": {"version": 7}}})
    assert changes_between(BEFORE, after) == [Change("team", "new", "created", 0, 7, "runtime")]
    before = team({"old": {"metadata": {"version": 7}}})
    before.registries["team"].stamp = 1
    assert changes_between(before, team()) == [Change("team", "old", "deleted", 7, 0, "runtime")]


def test_a_registry_goes_with_its_profiles() -> None:
    kinds = [("team", "deleted"), ("team/coder", "deleted"), ("team/reader", "deleted")]
    assert [change[:2] for change in told(catalogue())] == kinds


def test_changes_are_told_by_registry_and_profile() -> None:
    after = catalogue(registry({"b": {}, "a": {}}, "z"), registry({"c": {}}, "y"))
    assert [change[0] for change in told(after, None)] == ["y", "y/c", "z", "z/a", "z/b"]


def test_a_registry_of_the_same_stamp_is_not_compared() -> None:
    after = team({"coder": {}})
    after.registries["team"].stamp = 1
    assert told(after) == []


def test_a_layer_that_another_source_adds_counts_for_what_it_says() -> None:
    low, high = registry(TEAM, "team"), registry({"coder": {"display_name": "Mine"}}, "team", default_profile_slug="")
    before, after = catalogue(low), catalogue(sources=[("yaml:a", [low]), ("yaml:b", [high])])
    after.registries["team"].stamp = 1
    assert told(after, before) == [("team/coder", "updated", "presentation")]


# Broken and repaired


def test_a_profile_that_cannot_be_used_any_more_is_broken_and_says_why() -> None:
    (change,) = changes_between(BEFORE, broken("coder"))
    assert change[:5] == ("team", "coder", "broken", 3, 3)
    assert "is nonsense" in change.error


def test_a_profile_that_stays_broken_for_the_same_reason_is_no_news() -> None:
    assert told(broken("coder"), broken("coder")) == []


def test_a_profile_that_can_be_used_again_is_repaired() -> None:
    assert told(team(), broken("coder")) == [("team/coder", "repaired", "runtime")]


def test_a_broken_profile_that_vanishes_is_deleted() -> None:
    before = broken("reader")
    before.registries["team"].stamp = 1
    after = catalogue(registry({"coder": TEAM["coder"]}, "team"))
    after.registries["team"].stamp = 2
    assert told(after, before)[-1:] == [("team/reader", "deleted", "runtime")]


STALE = {("team", "coder"): "team.yaml:3: is nonsense"}


def test_a_profile_of_which_the_last_good_version_is_served_is_broken_and_not_updated() -> None:
    assert told(team(), stale_after=STALE) == [("team/coder", "broken", "runtime")]
    same_stamp = team()
    same_stamp.registries["team"].stamp = 1
    assert told(same_stamp, stale_after=STALE) == [("team/coder", "broken", "runtime")]


def test_it_is_repaired_by_what_it_was_and_updated_by_anything_else() -> None:
    assert told(team(), stale_before=STALE) == [("team/coder", "repaired", "runtime")]
    mended = team({"coder": runtime(system_prompt="new")})
    assert told(mended, stale_before=STALE) == [("team/coder", "updated", "runtime")]


def test_another_reason_is_news() -> None:
    (change,) = changes_between(BEFORE, team(), STALE, {("team", "coder"): "team.yaml:4: is worse"})
    assert (change.kind, change.error) == ("broken", "team.yaml:4: is worse")


def test_a_source_that_cannot_be_read_breaks_its_registries() -> None:
    assert told(team(), stale_after={("team", ""): "gone"}) == [("team", "broken", "runtime")]


def test_a_registry_that_cannot_be_answered_for_is_broken_until_it_is_there() -> None:
    without = catalogue(unavailable={"team": SourceUnavailable("yaml:a", "gone")})
    assert told(without, catalogue()) == [("team", "broken", "runtime")]
    assert told(team(), without)[0] == ("team", "repaired", "runtime")
    assert told(catalogue(), without) == [("team", "repaired", "runtime")]


def test_a_source_that_may_hold_any_registry_is_told_of_all() -> None:
    without = catalogue(unavailable={None: SourceUnavailable("yaml:a", "gone")})
    assert told(without, catalogue()) == [("*", "broken", "runtime")]


# Profiles that are read when they are needed


class Unread(ProfileLayer):
    """A heading whose document nobody may ask for."""

    def __init__(self, **heading: Any) -> None:
        super().__init__("a", Profile(slug="p", registry="team", **heading), SMALL, read=self.fail)

    def fail(self) -> Profile:
        raise AssertionError("a document was read to be compared")


def unread(*layers: ProfileLayer) -> Catalogue:
    found = catalogue(registry({}, "team"))
    found.registries["team"].profiles = HeldProfiles({"p": ProfileStack(Reference("team", "p"), layers)})
    return found


@pytest.mark.parametrize("stamp", [0, 1])
def test_a_document_that_is_not_read_is_compared_by_its_heading(stamp: int) -> None:
    before = unread(Unread(description="d"))
    for layer, scope in [
        (Unread(description="d"), None),
        (Unread(description="e"), "presentation"),
    ]:
        after = unread(layer)
        after.registries["team"].stamp = stamp
        assert [change.scope for change in changes_between(before, after)] == ([scope] if scope else [])


def test_a_layer_that_is_not_read_may_say_anything() -> None:
    low = ProfileLayer("b", Profile(slug="p"), SMALL)
    after = unread(low, Unread())
    after.registries["team"].stamp = 1
    assert told(after, unread(low)) == [("team/p", "updated", "runtime")]
