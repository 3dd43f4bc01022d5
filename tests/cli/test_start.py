"""The command line starts quickly: nothing is loaded that a command does not need."""

from __future__ import annotations

import pytest

CORE = {"livery.core", "livery.core.resolve", "jsonschema_rs", "msgspec", "orjson", "ryaml", "rich", "click"}
HEAVY = {
    "fastapi", "starlette", "uvicorn", "pydantic", "pydantic_ai", "httpx2", "mcp", "openai", "sqlalchemy", "psycopg",
    "rich", "ruamel.yaml", "watchfiles", "asyncio",
}  # fmt: skip
LOADED = """
import sys
try:
    from livery.cli.main import main
    main()
except SystemExit:
    pass
print(*sorted(sys.modules), file=sys.stderr)
"""


@pytest.fixture
def loaded(process):
    """The modules that a command has loaded."""

    def run(*args: str) -> set[str]:
        done = process(*args, code=LOADED)
        assert done.returncode == 0, done.stderr
        return set(done.stderr.splitlines()[-1].split())

    return run


def test_the_version_loads_nothing(loaded, folder) -> None:
    assert loaded("--version") & CORE == set()


def test_help_loads_no_command_and_no_core(loaded, folder) -> None:
    modules = loaded("--help")
    assert modules & (CORE - {"click"}) == set()
    assert not [name for name in modules if name.startswith("livery.cli.commands")]


@pytest.mark.parametrize(
    "args", ["profile list", "profile show default", "resolve", "current", "validate", "source list"]
)
def test_reading_loads_nothing_heavy(loaded, folder, args: str) -> None:
    assert loaded(*args.split()) & HEAVY == set()


def test_one_noun_does_not_load_another(loaded, folder) -> None:
    modules = loaded("profile", "list")
    assert "livery.cli.commands.profile.reading" in modules
    assert not {"livery.cli.commands.profile.editing", "livery.cli.commands.registry", "livery.chat"} & modules


def test_the_library_loads_on_demand(process) -> None:
    code = (
        "import sys, livery; print('msgspec' in sys.modules, callable(livery.open_registry), 'msgspec' in sys.modules)"
    )
    assert process(code=code).stdout.split() == ["False", "True", "True"]


def test_every_public_name_is_there() -> None:
    import livery

    assert [name for name in livery.__all__ if not hasattr(livery, name)] == []
    assert set(livery.__all__) <= set(dir(livery))
    with pytest.raises(AttributeError):
        livery.nothing  # noqa: B018
