"""What an error means outside: HTTP status, exit code and title. HTTP and the command line ask this one table."""

from __future__ import annotations

from typing import NamedTuple

from livery import errors


class Outcome(NamedTuple):
    """How the outside world is told of an error; ``status`` 0 means it never travels over HTTP."""

    status: int
    exit_code: int
    title: str


OUTCOMES: dict[type[BaseException], Outcome] = {
    errors.ValidationError: Outcome(400, 4, "Not valid"),
    errors.MergeConflict: Outcome(400, 4, "Layers cannot be merged"),
    errors.LineageError: Outcome(400, 4, "Bases cannot be followed"),
    errors.Unsupported: Outcome(400, 4, "Not supported here"),
    errors.Invalid: Outcome(400, 4, "Not valid"),
    errors.RegistryNotFound: Outcome(404, 3, "Registry not found"),
    errors.ProfileNotFound: Outcome(404, 3, "Profile not found"),
    errors.SourceNotFound: Outcome(404, 3, "Source not found"),
    errors.ConversationNotFound: Outcome(404, 3, "Conversation not found"),
    errors.NotFound: Outcome(404, 3, "Not found"),
    errors.PolicyViolation: Outcome(403, 5, "Denied by policy"),
    errors.ProfileReadOnly: Outcome(403, 5, "Profile is read-only"),
    errors.SourceReadOnly: Outcome(403, 5, "Source is read-only"),
    errors.CallerDenied: Outcome(403, 5, "Caller denied"),
    errors.Forbidden: Outcome(403, 5, "Forbidden"),
    errors.Unauthenticated: Outcome(401, 5, "Not signed in"),
    errors.Refused: Outcome(403, 5, "Refused"),
    errors.VersionConflict: Outcome(409, 6, "Version conflict"),
    errors.AlreadyExists: Outcome(409, 6, "Already exists"),
    errors.StillReferenced: Outcome(409, 6, "Still referenced"),
    errors.Conflict: Outcome(409, 6, "Conflict"),
    errors.PreconditionRequired: Outcome(428, 6, "Version required"),
    errors.IdempotencyMismatch: Outcome(422, 4, "Idempotency key reused"),
    errors.PayloadTooLarge: Outcome(413, 4, "Too large"),
    errors.RateLimited: Outcome(429, 7, "Too many requests"),
    errors.QueueFull: Outcome(429, 7, "Queue is full"),
    errors.Busy: Outcome(429, 7, "Busy"),
    errors.SourceUnavailable: Outcome(503, 7, "Source unavailable"),
    errors.Locked: Outcome(503, 7, "Locked"),
    errors.SchemaTooNew: Outcome(503, 7, "Written by a later version"),
    errors.RuntimeUnavailable: Outcome(503, 7, "Runtime unavailable"),
    errors.SecretUnavailable: Outcome(503, 7, "Secret unavailable"),
    errors.Unavailable: Outcome(503, 7, "Unavailable"),
    errors.MigrationDiffers: Outcome(0, 8, "Migration differs"),
    errors.UsageError: Outcome(400, 2, "Wrong usage"),
    errors.LiveryError: Outcome(500, 1, "Error"),
    KeyboardInterrupt: Outcome(0, 130, "Interrupted"),
}

_UNEXPECTED = Outcome(500, 1, "Unexpected error")


def outcome_of(error: BaseException) -> Outcome:
    """The outcome of an error's own class or of its nearest listed base; anything unknown is unexpected (500, 1)."""
    for cls in type(error).__mro__:
        if cls in OUTCOMES:
            return OUTCOMES[cls]
    return _UNEXPECTED
