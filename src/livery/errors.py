"""The one tree of errors, without transport words: what went wrong, where, and what a caller can do.

Every class has a stable ``code``; :mod:`livery.outcomes` is the only place that knows HTTP statuses and exit codes.

    LiveryError
    ├── Invalid              ValidationError, MergeConflict, LineageError, Unsupported
    ├── NotFound             RegistryNotFound, ProfileNotFound, SourceNotFound, ConversationNotFound
    ├── Refused              PolicyViolation, ProfileReadOnly, SourceReadOnly, CallerDenied, Forbidden,
    │                        Unauthenticated
    ├── Conflict             VersionConflict, AlreadyExists, StillReferenced
    ├── PreconditionRequired, IdempotencyMismatch, PayloadTooLarge
    ├── Busy                 RateLimited, QueueFull
    ├── Unavailable          SourceUnavailable, Locked, SchemaTooNew, RuntimeUnavailable, SecretUnavailable
    ├── MigrationDiffers
    └── UsageError
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple


class Place(NamedTuple):
    """Where in which file something stands; lines and columns count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in self if part is not None)


class Fault(NamedTuple):
    """One thing wrong with a document: the field, the reason, and where it stands."""

    field: str
    reason: str
    place: Place | None = None

    def __str__(self) -> str:
        text = f"{self.field}: {self.reason}" if self.field else self.reason
        return f"{self.place}: {text}" if self.place else text


class LiveryError(Exception):
    """Base of everything that Livery raises on purpose."""

    code: ClassVar[str] = "error"

    def details(self) -> dict[str, Any]:
        """The fields a caller needs beside the message, as JSON values; never a secret."""
        return {}


class Invalid(LiveryError):
    """The input cannot be used as it is."""

    code = "invalid"


class ValidationError(Invalid):
    """One or more faults of a document or a request; ``field``, ``reason`` and ``origin`` are the first one's."""

    code = "validation_error"

    def __init__(self, field: str, reason: str, origin: Place | None = None) -> None:
        self.faults: tuple[Fault, ...] = (Fault(field, reason, origin),)
        super().__init__(field, reason, origin)

    @classmethod
    def of(cls, faults: Sequence[Fault]) -> ValidationError:
        """One error that carries every fault, in the order given."""
        error = cls(*faults[0])
        error.faults = tuple(faults)
        return error

    @property
    def field(self) -> str:
        return self.faults[0].field

    @property
    def reason(self) -> str:
        return self.faults[0].reason

    @property
    def origin(self) -> Place | None:
        return self.faults[0].place

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)

    def details(self) -> dict[str, Any]:
        rows = [
            {"field": f.field, "reason": f.reason, **({"place": str(f.place)} if f.place else {})} for f in self.faults
        ]
        return {"field": self.field, "errors": rows}


class MergeConflict(Invalid):
    """A mapping meets a value that is none: ``path``, and which layers supplied the two.

    ``origins`` are those layers as values, for whoever can say where in their files the two stand.
    """

    code = "merge_conflict"

    def __init__(self, path: str, below: str, above: str, reason: str, *, origins: tuple[Any, ...] = ()) -> None:
        self.path, self.below, self.above, self.reason, self.origins = path, below, above, reason, origins
        super().__init__(path, below, above, reason)

    def __str__(self) -> str:
        return f"{self.path}: {self.reason} ({self.below} against {self.above})"

    def details(self) -> dict[str, Any]:
        return {"field": self.path, "below": self.below, "above": self.above}


class LineageError(Invalid):
    """``extends`` cannot be followed: ``kind`` is cycle, missing or depth, ``chain`` the profiles on the way there."""

    code = "lineage_error"

    def __init__(
        self, kind: str, reason: str, *, field: str, chain: Sequence[str] = (), origin: Place | None = None
    ) -> None:
        self.kind, self.reason, self.field, self.chain, self.origin = (
            kind,
            reason,
            field,
            tuple(chain),
            origin,
        )
        super().__init__(kind, reason)

    def __str__(self) -> str:
        return f"{self.origin}: {self.reason}" if self.origin else self.reason

    def details(self) -> dict[str, Any]:
        return {"field": self.field, "kind": self.kind, "chain": list(self.chain)}


class Unsupported(Invalid):
    """``layout`` has no place for ``field``; the message names a layout that has."""

    code = "unsupported"

    def __init__(self, field: str, layout: str, advice: str = "") -> None:
        self.field, self.layout, self.advice = field, layout, advice
        super().__init__(field, layout, advice)

    def __str__(self) -> str:
        text = f"{self.layout} cannot hold {self.field!r}"
        return f"{text}; {self.advice}" if self.advice else text

    def details(self) -> dict[str, Any]:
        return {"field": self.field, "layout": self.layout}


class NotFound(LiveryError):
    """Nothing has this name; ``nearest`` are existing names like it."""

    code = "not_found"
    noun: ClassVar[str] = "thing"

    def __init__(self, name: str, *, nearest: Sequence[str] = (), where: str = "", origin: Place | None = None) -> None:
        self.name, self.nearest, self.where, self.origin = name, tuple(nearest), where, origin
        super().__init__(name)

    def __str__(self) -> str:
        text = f"{self.noun} {self.name!r} not found"
        if self.where:
            text += f" {self.where}"
        if self.nearest:
            text += "; did you mean " + " or ".join(repr(name) for name in self.nearest) + "?"
        return f"{self.origin}: {text}" if self.origin else text

    def details(self) -> dict[str, Any]:
        return {"name": self.name, "nearest": list(self.nearest)}


class RegistryNotFound(NotFound):
    """No source holds a registry of this name."""

    code = "registry_not_found"
    noun = "registry"


class ProfileNotFound(NotFound):
    """No such profile in the registry or registries that were asked."""

    code = "profile_not_found"
    noun = "profile"


class SourceNotFound(NotFound):
    """The file, directory or database that a source URL names is not there."""

    code = "source_not_found"
    noun = "source"


class ConversationNotFound(NotFound):
    """No such conversation, or not one of the asker's."""

    code = "conversation_not_found"
    noun = "conversation"


class Refused(LiveryError):
    """Understood, and not allowed."""

    code = "refused"


class PolicyViolation(Refused):
    """A request asked for values that the policy denies; ``decisions`` names every denied key."""

    code = "policy_violation"

    def __init__(self, decisions: Sequence[Any]) -> None:
        self.decisions = tuple(decisions)
        super().__init__(self.decisions)

    def __str__(self) -> str:
        denied = [d for d in self.decisions if not d.allowed]
        rules = (f"{d.key} ({d.rule}" + (f"; policy of {d.profile})" if d.profile else ")") for d in denied)
        return "denied: " + ", ".join(rules)

    def details(self) -> dict[str, Any]:
        return {"decisions": [d._asdict() for d in self.decisions]}


class ProfileReadOnly(Refused):
    """A layer of the profile says ``read_only``; ``owner`` is the source of that layer."""

    code = "profile_read_only"

    def __init__(self, profile: str, owner: str) -> None:
        self.profile, self.owner = profile, owner
        super().__init__(profile, owner)

    def __str__(self) -> str:
        return f"profile {self.profile!r} is read-only (set in {self.owner}); lift it there, or copy the profile"

    def details(self) -> dict[str, Any]:
        return {"profile": self.profile, "owner": self.owner}


class SourceReadOnly(Refused):
    """The write would have to go to a source that is not written; ``owner`` names it."""

    code = "source_read_only"

    def __init__(self, what: str, owner: str, place: Place | None = None, advice: str = "") -> None:
        self.what, self.owner, self.place, self.advice = what, owner, place, advice
        super().__init__(what, owner, place, advice)

    def __str__(self) -> str:
        where = f" ({self.place})" if self.place else ""
        text = f"{self.what} belongs to {self.owner}{where}, which is not written"
        return f"{text}; {self.advice}" if self.advice else text

    def details(self) -> dict[str, Any]:
        return {"owner": self.owner, **({"place": str(self.place)} if self.place else {})}


class CallerDenied(Refused):
    """The registry maps unknown callers to nothing (``fallback: deny``)."""

    code = "caller_denied"

    def __init__(self, caller: str, registry: str) -> None:
        self.caller, self.registry = caller, registry
        super().__init__(caller, registry)

    def __str__(self) -> str:
        return f"registry {self.registry!r} knows no caller {self.caller!r} and denies unknown ones"

    def details(self) -> dict[str, Any]:
        return {"caller": self.caller, "registry": self.registry}


class Forbidden(Refused):
    """The actor's role does not include this."""

    code = "forbidden"


class Unauthenticated(Refused):
    """Nobody has said who is asking, or the proof is not valid."""

    code = "unauthenticated"


class Conflict(LiveryError):
    """The stored state is not what the write expected."""

    code = "conflict"


class VersionConflict(Conflict):
    """Compare-and-swap failed: ``slug`` is at version ``actual``, not ``expected`` (0 = absent)."""

    code = "version_conflict"

    def __init__(self, resource: str, slug: str, expected: int, actual: int) -> None:
        self.resource, self.slug, self.expected, self.actual = resource, slug, expected, actual
        super().__init__(resource, slug, expected, actual)

    def __str__(self) -> str:
        return (
            f"{self.resource} {self.slug!r} is at version {self.actual}, not {self.expected}; "
            "read it again and repeat the change"
        )

    def details(self) -> dict[str, Any]:
        return {
            "resource": self.resource,
            "slug": self.slug,
            "expected_version": self.expected,
            "current_version": self.actual,
        }


class AlreadyExists(Conflict):
    """The name is taken."""

    code = "already_exists"

    def __init__(self, resource: str, slug: str) -> None:
        self.resource, self.slug = resource, slug
        super().__init__(resource, slug)

    def __str__(self) -> str:
        return f"{self.resource} {self.slug!r} already exists"

    def details(self) -> dict[str, Any]:
        return {"resource": self.resource, "slug": self.slug}


class StillReferenced(Conflict):
    """Something else needs it; ``by`` names what."""

    code = "still_referenced"

    def __init__(self, what: str, by: Sequence[str]) -> None:
        self.what, self.by = what, tuple(by)
        super().__init__(what, self.by)

    def __str__(self) -> str:
        return f"{self.what} is still used by {', '.join(self.by)}"

    def details(self) -> dict[str, Any]:
        return {"by": list(self.by)}


class PreconditionRequired(LiveryError):
    """The write needs the version that it was made from."""

    code = "precondition_required"


class IdempotencyMismatch(LiveryError):
    """The idempotency key was used with another body."""

    code = "idempotency_mismatch"


class PayloadTooLarge(LiveryError):
    """More bytes than the limit."""

    code = "payload_too_large"


class Busy(LiveryError):
    """Not now; the same request may succeed later."""

    code = "busy"


class RateLimited(Busy):
    """Too many requests of one asker."""

    code = "rate_limited"


class QueueFull(Busy):
    """The conversation has as many waiting prompts as it may have."""

    code = "queue_full"


class Unavailable(LiveryError):
    """Something that is needed cannot be had at the moment."""

    code = "unavailable"


class SourceUnavailable(Unavailable):
    """A source exists and cannot be read."""

    code = "source_unavailable"

    def __init__(self, source: str, reason: str) -> None:
        self.source, self.reason = source, reason
        super().__init__(source, reason)

    def __str__(self) -> str:
        return f"source {self.source} is unavailable: {self.reason}"

    def details(self) -> dict[str, Any]:
        return {"source": self.source}


class Locked(Unavailable):
    """Another process holds the lock of a file; ``holder`` says which, where it is known."""

    code = "locked"

    def __init__(self, what: str, holder: str = "") -> None:
        self.what, self.holder = what, holder
        super().__init__(what, holder)

    def __str__(self) -> str:
        return f"{self.what} is locked" + (f" by {self.holder}" if self.holder else "") + "; try again"


class SchemaTooNew(Unavailable):
    """The store was written by a later version of Livery."""

    code = "schema_too_new"


class RuntimeUnavailable(Unavailable):
    """The profile resolves, and its engine, middlewares or tools cannot be built."""

    code = "runtime_unavailable"


class SecretUnavailable(Unavailable):
    """A secret reference leads to nothing; ``reference`` is the reference, never a value."""

    code = "secret_unavailable"

    def __init__(self, reference: str, reason: str) -> None:
        self.reference, self.reason = reference, reason
        super().__init__(reference, reason)

    def __str__(self) -> str:
        return f"secret {self.reference} is not available: {self.reason}"

    def details(self) -> dict[str, Any]:
        return {"reference": self.reference}


class MigrationDiffers(LiveryError):
    """The migrated form does not resolve to what the old one did; ``differences`` says where."""

    code = "migration_differs"

    def __init__(self, differences: Sequence[str]) -> None:
        self.differences = tuple(differences)
        super().__init__(self.differences)

    def __str__(self) -> str:
        return "the migrated profiles differ from the old ones:\n" + "\n".join(f"  {d}" for d in self.differences)

    def details(self) -> dict[str, Any]:
        return {"differences": list(self.differences)}


class UsageError(LiveryError):
    """The command or call was not put together as it must be."""

    code = "usage_error"
