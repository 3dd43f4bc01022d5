"""Whatever a document or a request holds, the answer is a result or one of our own errors."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from livery.core.check import check
from livery.core.documents import read_bundle, read_profile, read_registry
from livery.core.explain import explain
from livery.core.patch import keep_redacted, merge_patch
from livery.core.redact import redact
from livery.core.resolve import resolve
from livery.core.schema import FREE
from livery.errors import LiveryError
from tests.core.builders import SMALL, catalogue, registry
from tests.core.strategies import law

NAMES = """
    slug id profiles default p extends stack runtime step_settings_patch chat client engine temperature headers
    system_prompt tools middlewares servers name enabled config policy allow_overrides allowed_override_keys
    denied_override_keys read_only metadata version tags extensions a.b@v1 callers fallback defaults enforced
    display_name default_profile_slug foreign_sections settings_schema free deny model_info cost env:A * chat.*
    default/p # a#b . $append $remove $replace $unset $literal $secret $redacted
"""
WORDS = st.sampled_from([*NAMES.split(), "", " ", "\ud800"])
SCALARS = st.one_of(WORDS, st.none(), st.booleans(), st.integers(-1, 2), st.floats(), st.just(2**70), st.just(b"x"))
KEYS = st.one_of(WORDS, WORDS, WORDS, st.integers(0, 1), st.none())
JUNK = st.recursive(
    SCALARS,
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(KEYS, below, max_size=4)),
    max_leaves=20,
)
RUNTIMES = st.dictionaries(
    st.sampled_from(["step_settings_patch", "system_prompt", "tools", "middlewares", "servers"]), JUNK, max_size=3
)
PROFILES = st.one_of(JUNK, st.fixed_dictionaries({}, optional={"runtime": RUNTIMES, "extends": JUNK, "policy": JUNK}))
REGISTRIES = st.one_of(
    JUNK,
    st.fixed_dictionaries(
        {"slug": st.just("default")},
        optional={"profiles": st.dictionaries(KEYS, PROFILES, max_size=3), "defaults": RUNTIMES, "callers": JUNK,
                  "enforced": RUNTIMES, "policy": JUNK, "metadata": JUNK, "default_profile_slug": WORDS},
    ),
)  # fmt: skip


@law
@given(REGISTRIES)
def test_any_document_is_read_or_its_faults_are_told(document: Any) -> None:
    read = read_registry(document)
    for fault in read.all_faults:
        assert fault.field.startswith("registry")
        assert fault.reason
    read_profile(document, registry="default")
    if isinstance(document, dict):
        read_bundle({**document, "registries": document})


@law
@given(REGISTRIES, st.sampled_from([SMALL, FREE]))
def test_what_was_read_is_checked_resolved_and_explained_or_refused(document: Any, schema: Any) -> None:
    read = read_registry(document)
    sound = read.registry.document()
    where = catalogue({**sound, "slug": "default"} if not read.faults else registry(), schema=schema)
    check(where)
    try:
        found = resolve_default(where, schema)
    except LiveryError as error:
        assert str(error)
    else:
        assert explain(found) and found.document()


def resolve_default(where: Any, schema: Any, **request: Any) -> Any:
    from livery.core.profile import ResolveInput

    return resolve(ResolveInput(**request), where, schema)


OPEN = registry({"p": {"policy": {"allow_overrides": True, "allowed_override_keys": ["*", "tools", "middlewares"]}}})


@law
@given(st.dictionaries(KEYS, JUNK, max_size=3), RUNTIMES, st.sampled_from([SMALL, FREE]))
def test_any_request_is_answered_or_refused(overrides: Any, operator: Any, schema: Any) -> None:
    for request in (
        {"request_overrides": overrides},
        {"operator_layers": (("flags", operator),)},
        {"base_step_settings": overrides},
    ):
        try:
            found = resolve_default(catalogue(OPEN, schema=schema), schema, **request)
        except LiveryError as error:
            assert str(error)
        else:
            assert explain(found) and found.document()


TEXT_KEYED = st.recursive(
    st.one_of(WORDS.filter(lambda word: word != "\ud800"), st.none(), st.booleans(), st.integers(0, 3)),
    lambda below: st.one_of(
        st.lists(below, max_size=3), st.dictionaries(WORDS.filter(lambda word: word != "\ud800"), below, max_size=3)
    ),
    max_leaves=12,
)


@law
@given(TEXT_KEYED, TEXT_KEYED)
def test_any_document_can_be_redacted_patched_and_given_back(document: Any, patch: Any) -> None:
    redact(document)
    merge_patch(document, patch)
    try:
        assert keep_redacted(redact(document), document, "profile") is not None or document is None
    except LiveryError as error:
        assert "redacted" in str(error)
