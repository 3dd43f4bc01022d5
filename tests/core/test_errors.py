"""The tree of errors and the table of outcomes: complete, stable, and of use to the reader."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from livery import errors
from livery.core.policy import Decision
from livery.outcomes import OUTCOMES, outcome_of


def tree(root: type[errors.LiveryError] = errors.LiveryError) -> Iterator[type[errors.LiveryError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


CLASSES = list(tree())


@pytest.mark.parametrize("cls", CLASSES)
def test_every_class_has_a_row_of_its_own_and_a_docstring(cls: type[errors.LiveryError]) -> None:
    assert cls in OUTCOMES
    assert cls.__doc__
    assert OUTCOMES[cls].title


def test_codes_are_unique() -> None:
    codes = [cls.__dict__["code"] for cls in CLASSES]
    assert len(set(codes)) == len(codes)


EXPECTED = {
    "ValidationError": (400, 4), "MergeConflict": (400, 4), "LineageError": (400, 4), "Unsupported": (400, 4),
    "RegistryNotFound": (404, 3), "ProfileNotFound": (404, 3), "SourceNotFound": (404, 3),
    "ConversationNotFound": (404, 3), "PolicyViolation": (403, 5), "ProfileReadOnly": (403, 5),
    "SourceReadOnly": (403, 5), "CallerDenied": (403, 5), "Forbidden": (403, 5), "Unauthenticated": (401, 5),
    "VersionConflict": (409, 6), "AlreadyExists": (409, 6), "StillReferenced": (409, 6),
    "PreconditionRequired": (428, 6), "IdempotencyMismatch": (422, 4), "PayloadTooLarge": (413, 4),
    "RateLimited": (429, 7), "QueueFull": (429, 7), "SourceUnavailable": (503, 7), "Locked": (503, 7),
    "SchemaTooNew": (503, 7), "RuntimeUnavailable": (503, 7), "SecretUnavailable": (503, 7),
    "MigrationDiffers": (0, 8), "UsageError": (400, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_an_error_means_the_same_outside_for_ever(name: str) -> None:
    outcome = OUTCOMES[getattr(errors, name)]
    assert (outcome.status, outcome.exit_code) == EXPECTED[name]


def test_anything_else_is_unexpected_and_an_interruption_is_130() -> None:
    assert outcome_of(KeyError("x"))[:2] == (500, 1)
    assert outcome_of(KeyboardInterrupt())[:2] == (0, 130)


def test_a_class_derived_outside_has_the_outcome_of_its_base() -> None:
    class Mine(errors.ProfileNotFound):
        pass

    assert outcome_of(Mine("x")) == OUTCOMES[errors.ProfileNotFound]


def test_a_validation_error_carries_every_fault_with_its_place() -> None:
    faults = [errors.Fault("a", "first", errors.Place("team.yaml", 14)), errors.Fault("b", "second")]
    error = errors.ValidationError.of(faults)
    assert (error.field, error.reason, str(error.origin)) == ("a", "first", "team.yaml:14")
    assert str(error) == "team.yaml:14: a: first\nb: second"
    assert error.details()["errors"][0] == {"field": "a", "reason": "first", "place": "team.yaml:14"}


def test_a_policy_violation_names_every_denied_key_and_only_those() -> None:
    error = errors.PolicyViolation(
        [Decision("a", False, "sensitive", "team/x", 3), Decision("b", True, "listed"), Decision("c", False, "no")]
    )
    assert str(error) == "denied: a (sensitive; policy of team/x), c (no)"
    assert error.details()["decisions"][0] == {
        "key": "a", "allowed": False, "rule": "sensitive", "profile": "team/x", "version": 3,
    }  # fmt: skip


def test_not_found_says_where_and_what_is_nearest() -> None:
    error = errors.ProfileNotFound("coder", nearest=["coda"], where="in any registry")
    assert str(error) == "profile 'coder' not found in any registry; did you mean 'coda'?"


def test_a_version_conflict_carries_both_versions() -> None:
    error = errors.VersionConflict("profile", "coder", 999, 3)
    assert error.details() == {"resource": "profile", "slug": "coder", "expected_version": 999, "current_version": 3}
    assert "version 3, not 999" in str(error)


SAMPLES = [
    errors.ValidationError("f", "r"),
    errors.MergeConflict("p", "b", "a", "r"),
    errors.LineageError("cycle", "r", field="f"),
    errors.Unsupported("f", "l"),
    errors.ProfileNotFound("n"),
    errors.PolicyViolation([Decision("a", False, "r")]),
    errors.ProfileReadOnly("p", "o"),
    errors.SourceReadOnly("w", "o"),
    errors.CallerDenied("c", "r"),
    errors.VersionConflict("r", "s", 1, 2),
    errors.AlreadyExists("r", "s"),
    errors.StillReferenced("w", ["b"]),
    errors.SourceUnavailable("s", "r"),
    errors.Locked("w", "h"),
    errors.SecretUnavailable("env:X", "r"),
    errors.MigrationDiffers(["d"]),
]


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_every_error_has_words_and_details_in_json(error: errors.LiveryError) -> None:
    import orjson

    assert str(error).strip()
    assert orjson.dumps(error.details())
