"""The proof sees every difference between what a client saw and what it would see."""

from __future__ import annotations

from pathlib import Path

import pytest

from livery.errors import MigrationDiffers, ValidationError
from livery.migrate.profile_store.clients import NO_CHOICES
from livery.migrate.profile_store.monolith import read_monolith
from livery.migrate.profile_store.plan import Plan, plan_of
from livery.migrate.profile_store.proof import prove_equal
from livery.migrate.profile_store.scaffold import scaffold_of
from livery.settings import schema_named

OLD = """\
routeTimeoutSeconds: 30
subAgent: {enabledTags: [chat], model: gpt, provider: openai}
servers:
- {name: a, cmd: [./a], tags: [chat], env: {TOKEN: sk-one}, sessionTTLSeconds: 0, strategy: stateful}
- {name: b, cmd: [./b]}
"""


@pytest.fixture
def plan() -> Plan:
    return plan_of(read_monolith(OLD.encode(), "old.yaml", NO_CHOICES), NO_CHOICES, schema_named("profile-store"))


def proved(plan: Plan, folder: Path, path: str = "", old: str = "", new: str = "") -> list[str]:
    """The proof of a plan, after ``old`` became ``new`` in one of its files."""
    files = dict(plan.files)
    if path:
        assert old in files[path]
        files[path] = files[path].replace(old, new)
    with scaffold_of(files, folder / "store") as scaffold:
        return prove_equal(plan, scaffold)


def test_a_plan_is_proved_for_every_client_and_for_none(plan: Plan, tmp_path: Path) -> None:
    assert proved(plan, tmp_path) == ["proved equal for 3 clients: one without a name, default, chat"]


@pytest.mark.parametrize(
    ("path", "old", "new", "difference"),
    [
        ("profiles/chat.yaml", "- {name: b, cmd: [./b]}\n", "", "client chat: servers.b"),
        ("profiles/chat.yaml", "sessionTTLSeconds: 0, ", "", "client chat: servers.a.sessionTTLSeconds"),
        ("profiles/default.yaml", "./a", "./A", "client default: servers.a.cmd"),
        ("profiles/chat.yaml", "enabled: true", "enabled: false", "client chat: subAgent.enabled"),
        ("runtime.yaml", "30", "31", "client chat: routeTimeoutSeconds: 30 became 31"),
        ("callers.yaml", "chat: chat", "chat: default", "client chat: subAgent.enabled"),
        ("profiles/default.yaml", "name: b", "name: c", "a client without a name: servers.b"),
        (
            "callers.yaml",
            "callers:\n  default: default\n",
            "fallback: deny\ncallers:\n",
            "client default: caller_denied",
        ),
    ],
)
def test_a_client_that_would_see_something_else_is_named(
    path: str, old: str, new: str, difference: str, plan: Plan, tmp_path: Path
) -> None:
    with pytest.raises(MigrationDiffers) as error:
        proved(plan, tmp_path, path, old, new)
    assert difference in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_secret_that_differs_is_not_shown(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(MigrationDiffers) as error:
        proved(plan, tmp_path, "profiles/chat.yaml", "sk-one", "sk-two")
    assert "servers.a.env.TOKEN" in str(error.value) and "sk-" not in str(error.value)


def test_a_store_with_faults_is_no_proof(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises((ValidationError, MigrationDiffers)):
        proved(plan, tmp_path, "profiles/chat.yaml", "cmd: [./b]", "cmnd: [./b]")
