"""What a profile lacks before any request: provider, engine, key, address, tools, middlewares.

Pure: whether the secret behind a reference can be read is asked of the caller, never of the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from livery.core.names import nearest
from livery.core.paths import Path, text_of
from livery.settings.checks import cross_faults
from livery.settings.endpoint import Endpoint, Use, endpoint_of, mapping_at
from livery.settings.outbound import check_outbound_url
from livery.settings.providers import PROVIDERS, provider_of
from livery.settings.sections import Chat

Capability = Literal["chat", "embeddings", "rerank"]

CHAT: Final[tuple[Capability, ...]] = ("chat",)
EMBEDDING_TYPES: Final = ("openai", "ollama")
RERANK_TYPES: Final = ("llamacpp",)
_DEFAULTS: Final = Chat()


class ReadinessProblem(msgspec.Struct, frozen=True):
    """One thing a profile lacks: the field to set, and why."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


def readiness(
    settings: Mapping[str, Any],
    *,
    uses: Collection[Capability] = CHAT,
    tools: Sequence[str] = (),
    known_tools: Collection[str] | None = None,
    middlewares: Sequence[Mapping[str, Any] | str] = (),
    known_middlewares: Collection[str] | None = None,
    secret_available: Callable[[str], bool] | None = None,
) -> list[ReadinessProblem]:
    """Everything that keeps effective settings from being used; empty where they are ready.

    ``known_tools``, ``known_middlewares`` and ``secret_available`` are not asked where they are None.
    """
    problems = [problem for use in uses for problem in _OF_USE[use](settings)]
    problems += [ReadinessProblem(text_of(path), reason) for path, reason in cross_faults(settings)]
    if secret_available is not None:
        problems += _unavailable(settings, uses, secret_available)
    problems += _unknown("tools", "tool", tools, known_tools)
    names = [entry if isinstance(entry, str) else str(entry.get("name", "")) for entry in middlewares]
    problems += _unknown("middlewares", "middleware", names, known_middlewares)
    return problems


def _chat(settings: Mapping[str, Any]) -> Iterator[ReadinessProblem]:
    chat = mapping_at(settings, "chat")
    api_type = chat.get("api_type") or "openai"
    if provider_of(api_type) is None:
        yield _unsupported("chat.api_type", api_type, PROVIDERS)
        return
    if api_type == "echo":
        return
    yield from _engine(chat.get("engine"), api_type)
    yield from _reachable(settings, endpoint_of(settings, api_type), api_type)


def _engine(engine: Any, api_type: str) -> Iterator[ReadinessProblem]:
    if not engine:
        yield ReadinessProblem("chat.engine", "missing: name the model")
    elif engine == _DEFAULTS.engine and not PROVIDERS[api_type].openai_compatible:
        reason = f"missing: {engine!r} is only the default, and no model of {api_type!r}"
        yield ReadinessProblem("chat.engine", reason)


def _embeddings(settings: Mapping[str, Any]) -> Iterator[ReadinessProblem]:
    embeddings = mapping_at(settings, "embeddings")
    for name in ("type", "engine"):
        if not embeddings.get(name):
            yield ReadinessProblem(f"embeddings.{name}", "missing: the profile has no embeddings without it")
    kind = embeddings.get("type")
    if kind in EMBEDDING_TYPES:
        yield from _reachable(settings, endpoint_of(settings, kind, "embeddings"), kind)
    elif kind:
        yield _unsupported("embeddings.type", kind, EMBEDDING_TYPES)


def _rerank(settings: Mapping[str, Any]) -> Iterator[ReadinessProblem]:
    rerank = mapping_at(settings, "rerank")
    for name in ("type", "engine"):
        if not rerank.get(name):
            yield ReadinessProblem(f"rerank.{name}", "missing: the profile has no reranking without it")
    if rerank.get("type") and rerank["type"] not in RERANK_TYPES:
        yield _unsupported("rerank.type", rerank["type"], RERANK_TYPES)
    yield from _address(settings, "api.base_urls.rerank-base-url", _rerank_url(settings), "rerank")


def _rerank_url(settings: Mapping[str, Any]) -> Any:
    return mapping_at(settings, "api", "base_urls").get("rerank-base-url")


_OF_USE: Mapping[Capability, Callable[[Mapping[str, Any]], Iterator[ReadinessProblem]]] = {
    "chat": _chat,
    "embeddings": _embeddings,
    "rerank": _rerank,
}


def _unsupported(field: str, kind: Any, supported: Collection[str]) -> ReadinessProblem:
    return ReadinessProblem(field, f"{kind!r} is not supported; supported are {', '.join(supported)}")


def _reachable(settings: Mapping[str, Any], endpoint: Endpoint, provider: str) -> Iterator[ReadinessProblem]:
    yield from _address(settings, endpoint.base_url_field, endpoint.base_url, provider)
    if endpoint.key is None and endpoint.needs_key:
        name = endpoint.key_field.rpartition(".")[2]
        variable = name.upper().replace("-", "_")
        yield ReadinessProblem(
            endpoint.key_field,
            f"missing API key {name!r}; set it, for example to {{$secret: 'env:{variable}'}}",
        )


def _address(settings: Mapping[str, Any], field: str, url: Any, provider: str) -> Iterator[ReadinessProblem]:
    if not url:
        yield ReadinessProblem(field, f"missing: {provider!r} has no address of its own")
    elif isinstance(url, str):  # what a reference leads to is checked when it is read
        api = mapping_at(settings, "api")
        allow_http, allow_local = mapping_at(api, "allow_http"), mapping_at(api, "allow_local_networks")
        reason = check_outbound_url(url, provider, allow_http, allow_local)
        if reason is not None:
            yield ReadinessProblem(field, reason)


def _unavailable(
    settings: Mapping[str, Any], uses: Collection[Capability], secret_available: Callable[[str], bool]
) -> Iterator[ReadinessProblem]:
    """References that lead to nothing, except for keys and addresses of providers that are not used."""
    used = _used_fields(settings, uses)
    for path, reference in _references(settings, ()):
        field = text_of(path)
        if (field in used or not _is_provider_entry(path)) and not secret_available(reference):
            yield ReadinessProblem(field, f"secret {reference} is not available")


def _used_fields(settings: Mapping[str, Any], uses: Collection[Capability]) -> set[str]:
    fields = {"api.base_urls.rerank-base-url"} if "rerank" in uses else set()
    chosen: list[tuple[Use, Any]] = [
        ("chat", mapping_at(settings, "chat").get("api_type") or "openai"),
        ("embeddings", mapping_at(settings, "embeddings").get("type")),
    ]
    for use, api_type in chosen:
        if use in uses and provider_of(api_type) is not None:
            endpoint = endpoint_of(settings, api_type, use)
            fields |= {endpoint.key_field, endpoint.base_url_field}
    return fields


def _is_provider_entry(path: Path) -> bool:
    return len(path) == 3 and path[1] in ("api_keys", "base_urls")


def _references(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(value, Mapping):
        return
    reference = value.get("$secret")
    if isinstance(reference, str):
        yield path, reference
        return
    for name, child in value.items():
        yield from _references(child, (*path, name))


def _unknown(field: str, noun: str, names: Sequence[str], known: Collection[str] | None) -> Iterator[ReadinessProblem]:
    for index, name in enumerate(names):
        if known is not None and name not in known:
            close = nearest(name, known, 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            yield ReadinessProblem(f"{field}[{index}]", f"unknown {noun} {name!r}{hint}")
