"""A secret written in clear never leaves: not in answers, explanations, digests, prints or errors."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import assume, given
from hypothesis import strategies as st

from livery.core.check import check
from livery.core.diff import diff
from livery.core.effective import runtime_document
from livery.core.explain import explain
from livery.core.fingerprint import canonical_json
from livery.core.profile import ResolveInput
from livery.core.redact import marked, redact
from livery.core.resolve import resolve
from livery.core.schema import FREE
from livery.core.values import hidden
from livery.errors import LiveryError
from tests.core.builders import SMALL, catalogue, registry
from tests.core.strategies import law

CANARY = "CANARY"
BEFORE = st.sampled_from(["", "$$", "p$", "sk-", "${X}", "Bearer ", "é"])
AFTER = st.sampled_from(["", "/x", "=", "}", "\n"])
SECRETS = st.builds(lambda before, after: f"{before}{CANARY}{after}", BEFORE, AFTER)
USERS = [
    f"user:{CANARY}",
    CANARY,
    f"user:p@{CANARY}",
    f"user:p/{CANARY}",
    f":{CANARY}",
    f"{'u' * 300}:{CANARY}",
    f"u:{CANARY}#",
]
NAMES = st.sampled_from(["token", "apiKey", "API_KEY", "client-secret", "db.password", "Authorization", "credentials"])


@st.composite
def hiding_places(draw: st.DrawFn) -> dict[str, Any]:
    """Fields of a runtime with a secret in each of some places."""
    secret, name = draw(SECRETS), draw(NAMES)
    url = f"https://{draw(st.sampled_from(USERS))}@host/path"
    nested = draw(
        st.sampled_from([secret, [secret], {"deep": [secret]}, {"servers": secret}, {"$literal": {"a": secret}}])
    )
    server = {
        "name": "s",
        "env": {"ANY": secret},
        "http": {"headers": {"X": secret}, "url": url},
        "cmd": ["x", f"--{name}={CANARY}", f"--{name}", f"x{CANARY}", f"{name}: {CANARY}", url],
        "auth": {name: nested},
    }
    return draw(
        st.fixed_dictionaries(
            {},
            optional={
                "step_settings_patch": st.fixed_dictionaries(
                    {},
                    optional={
                        "x": st.just({name: nested}),
                        "y": st.just({"l": [{name: secret}, url]}),
                        "client": st.sampled_from(
                            [{"cookie": secret}, {"$replace": {"cookie": secret}}, {"proxy": url}]
                        ),
                        "api": st.just({"keys": {"any": secret}}),
                    },
                ),
                "system_prompt": st.just(f"Use {url} for this."),
                "middlewares": st.just([{"name": "m", "config": {name: nested, "url": url}}]),
                "servers": st.sampled_from([[server], {"$append": [server]}, {"$replace": [server]}]),
            },
        )
    )


def out_of(resolved: Any, document: Any) -> str:
    """Everything that anybody could be shown of a resolution and its document."""
    shown: list[Any] = [
        resolved.document(),
        [row.document() for row in explain(resolved)],
        redact(document, SMALL),
        resolved.metadata,
        resolved.warnings,
    ]
    digested = canonical_json(runtime_document(resolved.effective)).decode()
    prints = [repr(resolved), repr(resolved.merged.values), repr(explain(resolved)), repr(resolved.effective)]
    return orjson.dumps(shown).decode() + digested + "".join(prints)


@law
@given(hiding_places(), hiding_places(), st.sampled_from([SMALL, FREE]))
def test_a_secret_in_clear_is_in_nothing_that_is_shown(base: Any, leaf: Any, schema: Any) -> None:
    profiles = {
        "p": {"extends": ["b"], "runtime": leaf, "extensions": {"a.b@v1": leaf.get("middlewares", {})}},
        "b": {"runtime": base},
    }
    document = registry(profiles, foreign_sections=["x", "y"])
    where = catalogue(document, schema=schema)
    try:
        found = resolve(ResolveInput(), where, schema)
    except LiveryError as error:
        assert CANARY not in str(error) + repr(error) + orjson.dumps(error.details()).decode()
        return
    assume(base or leaf)
    if schema is FREE:
        document = _without(document, "client", "api")
        found = resolve(ResolveInput(), catalogue(document, schema=FREE), FREE)
    assert CANARY not in out_of(found, document)
    assert CANARY not in repr([where.registries["default"].profiles["p"].profile, where.registries["default"].head])


def _without(document: Any, *sections: str) -> Any:
    """The document without settings that only a schema knows to be secret."""
    if isinstance(document, dict):
        return {key: _without(value, *sections) for key, value in document.items() if key not in sections}
    return [_without(item, *sections) for item in document] if isinstance(document, list) else document


@law
@given(hiding_places(), st.sampled_from([5, "x", [], {"$append": [1]}, {"bogus": 1}]))
def test_a_secret_in_clear_is_in_no_fault(runtime: Any, wrong: Any) -> None:
    broken = {
        **runtime,
        "step_settings_patch": {**runtime.get("step_settings_patch", {}), "chat": wrong},
        "tools": [1, 1],
    }
    document = registry({"p": {"runtime": {**broken, "tools": ["a", "b"]}}})
    findings = check(catalogue(document))
    assert findings
    assert CANARY not in repr(findings)


@law
@given(hiding_places(), hiding_places())
def test_a_secret_in_clear_is_in_no_difference(one: Any, other: Any) -> None:
    before, after = (marked((), {"runtime": runtime}, SMALL) for runtime in (one, other))
    found = diff(before, after)
    assert CANARY not in repr(found)
    assert CANARY not in orjson.dumps([[hidden(d.before), hidden(d.after)] for d in found]).decode()


@law
@given(hiding_places())
def test_a_secret_in_an_override_is_in_no_refusal(runtime: Any) -> None:
    overrides = {key: value for key, value in runtime.items() if key != "servers"}
    assume(overrides)
    try:
        found = resolve(ResolveInput(request_overrides=overrides), catalogue(registry(), schema=FREE), FREE)
    except LiveryError as error:
        assert CANARY not in str(error) + repr(error) + orjson.dumps(error.details()).decode()
    else:
        raise AssertionError(found)
