"""Who may override what: a request's overrides against the policies of a lineage, decided leaf by leaf.

Nothing is allowed unless somebody allows it, policies combine restrictively, deny beats allow, and what is sensitive
has to be named exactly. A pattern names a path (and all beneath it): ``chat.temperature``, ``chat.*``, ``*``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import UNSET

from livery.core.merge import Merged, edited
from livery.core.paths import KEYED_LISTS, SETTINGS, Path, folded, text_of
from livery.core.patterns import covering, overlapping, pattern
from livery.core.profile import PolicySpec
from livery.core.redact import is_secret, secret_name
from livery.core.schema import SettingsSchema
from livery.core.touched import references, touched
from livery.core.values import ListEdit, Replace
from livery.errors import Fault, ValidationError

_SENSITIVE_NAME = re.compile(r"ur[il](?![a-z]{2})|api_?base|endpoint|prox(?:y|ies)|cache_?dir|host(?!o)")


class OwnedPolicy(NamedTuple):
    """A policy and whose it is: ``registry/profile``, a registry, or the application."""

    owner: str
    version: int
    policy: PolicySpec


class Decision(NamedTuple):
    """The verdict on one key of an override: the rule, and the profile or registry (with its version) it stands in."""

    key: str
    allowed: bool
    rule: str
    profile: str = ""
    version: int = 0


def combine(policies: Iterable[PolicySpec]) -> PolicySpec:
    """The policy that allows only what each of them allows; an absent field inherits."""
    allow: Any = UNSET
    allowed: Any = UNSET
    denied: dict[str, None] = {}
    read_only = False
    for policy in policies:
        if policy.allow_overrides is not UNSET:
            allow = policy.allow_overrides if allow is UNSET else allow and policy.allow_overrides
        if policy.allowed_override_keys is not UNSET:
            keys = tuple(dict.fromkeys(policy.allowed_override_keys))
            allowed = keys if allowed is UNSET else _intersection(allowed, keys)
        denied.update(dict.fromkeys(policy.denied_override_keys))
        read_only = read_only or policy.read_only
    return PolicySpec(
        allow_overrides=allow,
        allowed_override_keys=allowed,
        denied_override_keys=tuple(denied),
        read_only=read_only,
    )


def _intersection(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    """Of two lists of patterns the narrower ones: each that the other list covers."""
    kept = [key for key in one if covering(other, pattern(key)[0])]
    kept += [key for key in other if covering(one, pattern(key)[0])]
    return tuple(dict.fromkeys(kept))


def policy_faults(policy: PolicySpec, field: str) -> list[Fault]:
    """What contradicts itself in one policy: the same key in both lists, a pattern that is none."""
    faults: list[Fault] = []
    lists = {
        "allowed_override_keys": policy.allowed_override_keys,
        "denied_override_keys": policy.denied_override_keys,
    }
    seen: dict[tuple[Path, bool], str] = {}
    for name, keys in lists.items():
        for position, key in enumerate(keys if keys is not UNSET else ()):
            try:
                read = pattern(key)
            except ValidationError as error:
                faults.append(Fault(f"{field}.{name}[{position}]", error.reason))
                continue
            if seen.setdefault(read, name) != name:
                faults.append(Fault(f"{field}.{name}[{position}]", f"{key!r} is also in {seen[read]}"))
    return faults


# Deciding


def decide(
    overrides: Mapping[str, Any], below: Merged, policies: Sequence[OwnedPolicy], schema: SettingsSchema
) -> list[Decision]:
    """A decision for every leaf that prepared overrides touch over what is merged ``below``, sorted by key."""
    judge = _Judge(overrides, below, policies, schema)
    decisions = [judge.decision(path) for path in touched(overrides, below.values, schema)]
    return sorted(decisions, key=lambda decision: decision.key)


class _Judge:
    """The rules in their order; each answers with a decision or leaves it to the next."""

    def __init__(
        self,
        overrides: Mapping[str, Any],
        below: Merged,
        policies: Sequence[OwnedPolicy],
        schema: SettingsSchema,
    ) -> None:
        self.overrides = overrides
        self.below = below
        self.policies = policies
        self.schema = schema
        found = (path for field, value in overrides.items() for path in references((field,), value))
        self.exposed = [path for path in found if not is_secret(path, "-", schema)]
        """Where a request points at a secret from a field that is none, so that its value could be read there."""

    def decision(self, path: Path) -> Decision:
        key, compared = text_of(path), folded(path)
        rules = (
            self._enforced,
            self._denied,
            self._exposing,
            self._not_allowed,
            self._sensitive,
            self._unlisted,
            self._widening,
        )
        for rule in rules:
            answer = rule(path, compared)
            if answer is not None:
                reason, owned = answer
                return _decision(key, False, reason, owned)
        return _decision(key, True, *self._allowing(compared))

    def _enforced(self, path: Path, compared: Path) -> tuple[str, OwnedPolicy | None] | None:
        for place in self._places(path):
            origin = self.below.enforcing(place)
            if origin is not None:
                return str(origin) + _in_place_of(place, path), None
        return None

    def _denied(self, path: Path, compared: Path) -> tuple[str, OwnedPolicy | None] | None:
        for place in self._places(path):
            for owned in self.policies:
                key = overlapping(owned.policy.denied_override_keys, folded(place))
                if key is not None:
                    return f"denied_override_keys has {key!r}" + _in_place_of(place, path), owned
        return None

    def _places(self, path: Path) -> list[Path]:
        """A path, and those in whose place its value is used: who may not set these may not set it."""
        if path[0] != SETTINGS:
            return [path]
        return [path, *((SETTINGS, *over) for over in self.schema.gone_over(path[1:]))]

    def _exposing(self, path: Path, compared: Path) -> tuple[str, OwnedPolicy | None] | None:
        if any(place[: len(path)] == path for place in self.exposed):
            return "a request may point at a secret only in a field that holds secrets", None
        return None

    def _not_allowed(self, path: Path, compared: Path) -> tuple[str, OwnedPolicy | None] | None:
        given = [owned for owned in self.policies if owned.policy.allow_overrides is not UNSET]
        for owned in given:
            if not owned.policy.allow_overrides:
                return "allow_overrides is false", owned
        return None if given else ("no policy says allow_overrides: true", None)

    def _sensitive(self, path: Path, compared: Path) -> tuple[str, OwnedPolicy | None] | None:
        if not is_sensitive(path, self.schema):
            return None
        for owned in self._lists():
            if not self._lists_exactly(owned, compared):
                return "sensitive, and not in allowed_override_keys by its exact path", owned
        return None if self._lists() else ("sensitive, and no policy lists its exact path", None)

    def _unlisted(self, path: Path, compared: Path) -> tuple[str, OwnedPolicy | None] | None:
        for owned in self._lists():
            if covering(_allowed_keys(owned), compared) is None:
                return "not in allowed_override_keys", owned
        return None

    def _widening(self, path: Path, compared: Path) -> tuple[str, OwnedPolicy | None] | None:
        """A tools override may only narrow, unless ``tools`` is listed exactly."""
        if path != ("tools",):
            return None
        lists = self._lists()
        if lists and all(self._lists_exactly(owned, compared) for owned in lists):
            return None
        current = self.below.values.get("tools", list(self.schema.default_tools))
        added = [tool for tool in self._tools_after(current) if tool not in frozenset(current)]
        if not added:
            return None
        reason = f"tools may only be narrowed here; {', '.join(map(str, added))} would be added"
        return reason, lists[0] if lists else None

    def _tools_after(self, current: list[Any]) -> list[Any]:
        value = self.overrides["tools"]
        if type(value) is ListEdit:
            return edited(current, value)
        if type(value) is Replace:
            value = value.value
        return value if isinstance(value, list) else list(self.schema.default_tools)

    def _allowing(self, compared: Path) -> tuple[str, OwnedPolicy | None]:
        for owned in self._lists():
            return f"allowed_override_keys has {covering(_allowed_keys(owned), compared)!r}", owned
        return "allow_overrides is true", next((o for o in self.policies if o.policy.allow_overrides is True), None)

    def _lists(self) -> list[OwnedPolicy]:
        return [owned for owned in self.policies if owned.policy.allowed_override_keys is not UNSET]

    def _lists_exactly(self, owned: OwnedPolicy, compared: Path) -> bool:
        """Of a keyed list the whole field may be listed in place of one element."""
        exact = {prefix for prefix, wild in map(pattern, _allowed_keys(owned)) if not wild}
        return compared in exact or (compared[0] in KEYED_LISTS and compared[:1] in exact)


def _allowed_keys(owned: OwnedPolicy) -> tuple[str, ...]:
    keys = owned.policy.allowed_override_keys
    return keys if keys is not UNSET else ()


def _decision(key: str, allowed: bool, rule: str, owned: OwnedPolicy | None) -> Decision:
    return Decision(key, allowed, rule, owned.owner if owned else "", owned.version if owned else 0)


def _in_place_of(place: Path, path: Path) -> str:
    return "" if place == path else f"; it is used in place of {text_of(place)}"


def is_sensitive(path: Path, schema: SettingsSchema) -> bool:
    """Whether a path may be overridden only where it is listed exactly: secrets, addresses, code that runs."""
    if path[0] in KEYED_LISTS:
        return True
    if path[0] != SETTINGS:
        return False
    names = folded(path[1:])
    if schema.is_sensitive(path[1:]) or names[:1] == ("api",):
        return True
    return any(secret_name(name) or _SENSITIVE_NAME.search(name) for name in names)
