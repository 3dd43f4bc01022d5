"""A database answers as memory does: the same documents, written in the same order, over and under the same files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livery import open_registry
from livery.core.changes import Change
from livery.core.profile import ResolveInput
from livery.errors import LiveryError
from livery.service import RegistryService
from livery.stores.protocols import WriteOptions
from tests.support.registries import write
from tests.support.waiting import until

Step = tuple[str, ...]

REGISTRIES = ("team", "default", "far")
NAMES = ("a", "b", "default", "m")
CHAINS = (("writer",), ("low", "writer"), ("writer", "high"), ("low", "writer", "high"))
LOW = {
    "registries": {
        "team": {
            "default_profile_slug": "b",
            "profiles": {"a": {"description": "low", "metadata": {"tags": ["low"]}}, "b": {"extends": ["a"]}},
        },
        "files": {"profiles": {"x": {}}},
    }
}
HIGH = {"slug": "team", "profiles": {"m": {"runtime": {"system_prompt": "high"}}, "a": {"display_name": "High"}}}

registries, names = st.sampled_from(REGISTRIES), st.sampled_from(NAMES)
references = st.builds("{}/{}".format, registries, names)
documents = st.fixed_dictionaries(
    {},
    optional={
        "description": st.sampled_from(["", "one", "two"]),
        "extends": st.lists(references, max_size=2, unique=True),
        "metadata": st.fixed_dictionaries({"tags": st.lists(st.sampled_from("st"), max_size=2, unique=True)}),
        "policy": st.fixed_dictionaries({"read_only": st.just(False), "allow_overrides": st.booleans()}),
        "runtime": st.fixed_dictionaries(
            {},
            optional={
                "system_prompt": st.sampled_from(["", "p"]),
                "step_settings_patch": st.sampled_from(
                    [{}, {"chat": {"engine": "e1"}}, {"chat": {"temperature": 0.5}}, {"chat": {"engine": None}}]
                ),
                "middlewares": st.sampled_from(
                    [[], [{"name": "x", "config": {"k": 1}}], [{"name": "x", "config": {"k": {}}}]]
                ),
            },
        ),
    },
)
heads = st.fixed_dictionaries(
    {},
    optional={
        "default_profile_slug": st.sampled_from(["", *NAMES]),
        "callers": st.dictionaries(st.just("me"), names),
        "defaults": st.sampled_from([{}, {"system_prompt": "d"}, {"step_settings_patch": {"chat": {"top_p": 0.1}}}]),
        "enforced": st.sampled_from([{}, {"middlewares": [{"name": "x", "config": {"k": {"v": 1}}}]}]),
        "fallback": st.sampled_from(["default", "deny"]),
        "display_name": st.sampled_from(["", "Team"]),
    },
)
versions = st.sampled_from([None, None, None, 0, 1, 2, 3])
steps = st.one_of(
    st.tuples(st.just("create_registry"), registries, st.dictionaries(names, documents, max_size=3)),
    st.tuples(st.just("create"), registries, names, documents, versions),
    st.tuples(st.just("create"), registries, names, documents, versions),
    st.tuples(st.just("update"), registries, names, documents, versions),
    st.tuples(st.just("replace"), registries, names, documents, versions),
    st.tuples(st.just("delete"), registries, names, st.booleans(), versions),
    st.tuples(st.just("rename"), registries, names, names),
    st.tuples(st.just("copy"), registries, names, names),
    st.tuples(st.just("default"), registries, names),
    st.tuples(st.just("head"), registries, heads, versions),
    st.tuples(st.just("delete_registry"), registries),
)


def done(service: RegistryService, step: Any, at_ms: int) -> Any:
    """What a write answers."""
    kind, registry, *rest = step
    expected = rest.pop() if kind in ("create", "update", "replace", "delete", "head") else None
    options = WriteOptions(expected_version=expected, actor="alice", source="test", at_ms=at_ms)
    writes: dict[str, Callable[..., Any]] = {
        "create_registry": lambda profiles: service.create_registry({"slug": registry, "profiles": profiles}, options),
        "create": lambda name, document: service.create_profile(registry, {**document, "slug": name}, options),
        "update": lambda name, patch: service.update_profile(registry, name, patch, options),
        "replace": lambda name, document: service.replace_profile(registry, name, document, options),
        "delete": lambda name, revert: service.delete_profile(registry, name, options, revert=revert),
        "rename": lambda name, new: service.rename_profile(registry, name, new, options),
        "copy": lambda name, new: service.copy_profile(registry, name, new, options),
        "default": lambda name: service.set_default_profile(registry, name, options),
        "head": lambda patch: service.update_registry(registry, patch, options),
        "delete_registry": lambda: service.delete_registry(registry, options),
    }
    return answer(lambda: writes[kind](*rest))


def answer(ask: Callable[[], Any]) -> Any:
    """An answer, or the error that is one, as plain values."""
    try:
        found = ask()
    except LiveryError as error:
        return type(error).__name__, str(error)
    if found is None:
        return None
    document = found.document()
    document.get("metadata", {}).pop("deleted_versions", None)  # a database has its revisions for that
    if "profiles" in document:
        document["profiles"] = {slug: profile.document() for slug, profile in sorted(found.profiles.items())}
    return document


def everything(service: RegistryService) -> Iterator[Any]:
    """All that a service has to say."""
    yield [tuple(summary) for summary in service.list_registries()]
    yield [tuple(summary) for summary in service.list_profiles("*")]
    for words, tags in (("one", ()), ("", ("s",)), ("low", ("low",)), ("a", ("t",))):
        yield [tuple(summary) for summary in service.list_profiles("*", words=words, tags=tags)]
    yield sorted(finding for finding in service.findings if not finding.profile)  # others once they are asked for
    yield sorted(set(service.located_findings()))
    for registry in (*REGISTRIES, "files", None):
        yield answer(lambda registry=registry: service.get_registry(registry))  # type: ignore[misc]
        for profile in (*NAMES, None):
            yield from of_profile(service, registry, profile)
        yield resolved(service, ResolveInput(registry_slug=registry, caller="me"))


def of_profile(service: RegistryService, registry: str | None, profile: str | None) -> Iterator[Any]:
    if profile is not None:
        yield answer(lambda: service.get_profile(registry, profile))
    yield resolved(service, ResolveInput(registry_slug=registry, profile_slug=profile))


def resolved(service: RegistryService, request: ResolveInput) -> Any:
    try:
        found = service.resolve_effective_profile(request)
    except LiveryError as error:
        return type(error).__name__, str(error)
    explained = [(row.path, row.value, row.rule, len(row.history)) for row in service.explain(request)]
    facts = found.effective_step_settings, found.effective_middlewares, found.effective_system_prompt, found.lineage
    return found.metadata, facts, found.warnings, found.selection, explained


class Told:
    """What a subscriber hears, step by step."""

    def __init__(self, service: RegistryService) -> None:
        self.changes: list[Change] = []
        self.generation = service.catalogue.generation
        self.service = service
        service.subscribe(self.take)

    def take(self, catalogue: Any, changes: list[Change]) -> None:
        self.changes += changes
        self.generation = catalogue.generation

    def since(self, number: int) -> list[tuple[Any, ...]]:
        until(lambda: self.generation == self.service.catalogue.generation)
        return sorted(change[:6] for change in self.changes[number:])


def written(found: Any, label: str) -> str:
    """Answers as a text, in which the writer is called the same everywhere."""
    text = repr(found).replace(label, "the writer")
    return text.replace("'source': 'db'", "'source': 'api'")


def opened(directory: Path, chain: tuple[str, ...], writer: str) -> RegistryService:
    known = {"writer": writer, "low": f"yaml:{directory / 'low.yaml'}?readonly=1"}
    known["high"] = f"yaml:{directory / 'high.yaml'}?readonly=1"
    return open_registry(*(known[name] for name in chain))


@pytest.mark.parametrize("chain", CHAINS)
@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(given_steps=st.lists(steps, max_size=12))
def test_a_database_answers_as_memory_does(chain: tuple[str, ...], given_steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        directory = Path(folder)
        write(directory / "low.yaml", json.dumps(LOW))
        write(directory / "high.yaml", json.dumps(HIGH))
        label = f"sqlite:{directory / 'livery.db'}"
        memory = stack.enter_context(closing(opened(directory, chain, "memory:")))
        first, second = (stack.enter_context(closing(opened(directory, chain, label))) for _ in range(2))
        done(memory, ("create_registry", "base", {}), 1), done(first, ("create_registry", "base", {}), 1)
        gone: set[str] = set()
        told = [Told(memory), Told(first)]
        for number, step in enumerate(given_steps):
            if step[1] in gone:
                continue  # memory forgets the versions of a registry that is deleted
            heard = [len(each.changes) for each in told]
            one, other = (done(service, step, 10 + number) for service in (memory, first))
            assert written(one, "memory:") == written(other, label)
            if step[0] == "delete_registry" and one is None:
                gone.add(step[1])
            assert told[0].since(heard[0]) == told[1].since(heard[1])
            second.refresh()
            answers = [written(list(everything(service)), label) for service in (first, second)]
            expected = written(list(everything(memory)), "memory:")
            for found in answers:
                assert found == expected
        fresh = stack.enter_context(closing(opened(directory, chain, label)))
        assert written(list(everything(fresh)), label) == written(list(everything(memory)), "memory:")
