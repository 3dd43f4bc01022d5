"""Imports point one way, the core is pure, and nothing heavy is loaded before it is needed.

All of it is read from the source with ``ast``; the last test asks a real interpreter as well.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "livery"

ROOT = "livery"  # the public names of livery/__init__.py
UP_TO_FORMATS = {"errors", "core", "settings", "formats"}
UP_TO_STORES = {*UP_TO_FORMATS, "stores"}
LIBRARY = {*UP_TO_STORES, "outcomes", "service", "changes", "migrate", "config", "state"} | {
    "secrets",
    "library",
    "startup",
}

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "outcomes": {"errors"},
    "core": {"errors"},
    "settings": {"errors", "core"},
    "formats": {"errors", "core", "settings"},
    "stores": UP_TO_FORMATS,
    "service": UP_TO_STORES,
    "changes": UP_TO_STORES,
    "migrate": {*UP_TO_STORES, "service"},
    "secrets": {"errors", "core"},
    "config": UP_TO_STORES,
    "state": {*UP_TO_STORES, "config"},
    "library": {*UP_TO_STORES, "service"},
    "startup": {*UP_TO_STORES, "service", "config", "state"},
    "chat": {*LIBRARY, ROOT},
    "mcp": {*LIBRARY, ROOT},
    "integrations": {*LIBRARY, ROOT},
    "http": {*LIBRARY, ROOT, "chat"},
    "cli": {*LIBRARY, ROOT, "chat"},
    "testing": {*LIBRARY, ROOT, "chat", "mcp", "http", "cli", "integrations"},
    ROOT: LIBRARY,
    "__main__": {"cli"},
}
"""Every module or package directly below livery → what it may import of livery, besides itself."""

MAY_IMPORT_IN_FUNCTIONS: dict[str, set[str]] = {"cli": {"http", "mcp"}, "http": {"mcp"}}
"""Where one entry point starts another: `livery serve`, `livery mcp`, the gateway within the server."""

# fmt: off
PURE = {
    "__future__", "abc", "base64", "binascii", "bisect", "collections", "contextlib", "copy", "dataclasses",
    "decimal", "difflib", "enum", "fnmatch", "fractions", "functools", "graphlib", "hashlib", "heapq", "hmac",
    "inspect", "itertools", "json", "keyword", "math", "numbers", "operator", "re", "string", "struct", "sys",
    "textwrap", "types", "typing", "unicodedata", "warnings", "weakref",
    "jsonschema_rs", "msgspec", "orjson", "rfc8785", "typing_extensions",
}
"""What the core may import besides livery: no clock, file, environment, network or randomness."""

IMPURE_CALLS = {"open", "input", "print", "exec", "eval", "breakpoint"}

HEAVY = {
    "fastapi", "httpx2", "mcp", "openai", "opentelemetry", "psycopg", "psycopg_pool", "pydantic",
    "pydantic_ai", "pydantic_core", "pydantic_settings", "starlette", "uvicorn",
}
"""What only the server or an extra needs."""
# fmt: on


class Import(NamedTuple):
    """One imported name; ``target`` is the dotted path of the module or of the name inside it."""

    module: str
    target: str
    line: int
    at_load: bool

    def __str__(self) -> str:
        return f"{self.module}, line {self.line}: imports {self.target}"


# ---- reading


def modules(source: Path) -> dict[str, Path]:
    """Dotted name → file, for every module of the package in ``source``."""
    found = {}
    for path in sorted(source.rglob("*.py")):
        parts = (source.name, *path.relative_to(source).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(module: str, path: Path) -> Iterator[Import]:
    """Every import of a module, inside functions too, except those under ``if TYPE_CHECKING``."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node, at_load in executed(ast.parse(path.read_bytes(), str(path)).body):
        for target in targets(node, package):
            yield Import(module, target, node.lineno, at_load)


def executed(nodes: Iterable[ast.AST], at_load: bool = True) -> Iterator[tuple[ast.stmt | ast.expr, bool]]:
    """Every statement and expression below ``nodes``, and whether it runs as the module is loaded."""
    for node in nodes:
        if isinstance(node, ast.stmt | ast.expr):
            yield node, at_load
        if isinstance(node, ast.If) and is_type_checking(node.test):
            yield from executed(node.orelse, at_load)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from executed(ast.iter_child_nodes(node), at_load=False)
        else:
            yield from executed(ast.iter_child_nodes(node), at_load)


def is_type_checking(test: ast.expr) -> bool:
    """``TYPE_CHECKING`` or ``typing.TYPE_CHECKING``."""
    return "TYPE_CHECKING" in (getattr(test, "id", None), getattr(test, "attr", None))


def targets(node: ast.AST, package: str) -> Iterator[str]:
    """The absolute dotted names that a node imports, ``importlib.import_module("…")`` included."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            above = package.split(".")[: len(package.split(".")) - level + 1] if level else []
            origin = ".".join([*above, *([module] if module else [])])
            yield from (origin if alias.name == "*" else f"{origin}.{alias.name}" for alias in names)
        case ast.Call(
            func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            yield name


# ---- judging


def unit_of(target: str, known: Iterable[str]) -> str | None:
    """Which row of the table a dotted name belongs to; None when it is not livery's."""
    first, _, rest = target.partition(".")
    if first != ROOT:
        return None
    second = rest.partition(".")[0]
    return second if second in MAY_IMPORT or f"{ROOT}.{second}" in known else ROOT


def wrong_direction(source: Path) -> list[str]:
    """The imports that the table does not allow."""
    known = modules(source)
    wrong = []
    for module, path in known.items():
        unit = unit_of(module, known)
        if unit not in MAY_IMPORT:
            wrong.append(f"{module}: has no row in MAY_IMPORT; say what livery.{unit} may import")
            continue
        for found in imports_of(module, path):
            allowed = {None, unit, *MAY_IMPORT[unit]}
            if not found.at_load:
                allowed |= MAY_IMPORT_IN_FUNCTIONS.get(unit, set())
            if unit_of(found.target, known) not in allowed:
                wrong.append(f"{found}, which livery.{unit} may not")
    return wrong


def impure_core(source: Path) -> list[str]:
    """What the core imports or calls that could touch the world."""
    wrong = []
    for module, path in modules(source).items():
        if not f"{module}.".startswith(f"{ROOT}.core."):
            continue
        wrong += [
            f"{found}, which is not on the list of pure modules"
            for found in imports_of(module, path)
            if found.target.partition(".")[0] not in {ROOT, *PURE}
        ]
        wrong += [
            f"{module}, line {node.lineno}: calls {node.func.id}"
            for node, _ in executed(ast.parse(path.read_bytes()).body)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS
        ]
    return wrong


def heavy_at_load(source: Path, starts: Iterable[str]) -> list[str]:
    """The heavy imports that run when the units in ``starts`` are loaded, with all that they load."""
    known = modules(source)
    waiting = [module for module in known if unit_of(module, known) in set(starts)]
    seen: set[str] = set()
    wrong = []
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        for found in imports_of(module, known[module]):
            if not found.at_load:
                continue
            if found.target.partition(".")[0] in HEAVY:
                wrong.append(f"{found} at module level")
            waiting += [name for name in with_parents(found.target) if name in known]
    return sorted(wrong)


def with_parents(target: str) -> Iterator[str]:
    """``a``, ``a.b``, ``a.b.c`` of ``a.b.c``: importing a module loads its packages."""
    parts = target.split(".")
    return (".".join(parts[:length]) for length in range(1, len(parts) + 1))


# ---- the promises


def test_imports_point_one_way() -> None:
    assert wrong_direction(SOURCE) == []


def test_the_core_is_pure() -> None:
    assert impure_core(SOURCE) == []


def test_core_service_and_command_line_load_nothing_heavy() -> None:
    assert heavy_at_load(SOURCE, [ROOT, "core", "service", "cli"]) == []


@pytest.mark.parametrize("module", ["livery", "livery.core", "livery.service", "livery.cli.main"])
def test_the_interpreter_agrees_that_nothing_heavy_is_loaded(module: str) -> None:
    if module not in modules(SOURCE):
        pytest.skip(f"{module} is not written yet")
    script = f"import sys, {module}; print(*sorted({HEAVY!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# ---- the tests can fail


def package(folder: Path, files: dict[str, str]) -> Path:
    """A package named livery with the given files."""
    for name, text in {"__init__.py": "", **files}.items():
        path = folder / ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / ROOT


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("core/a.py", "import livery.stores"),
        ("core/a.py", "from livery.stores import base"),
        ("core/a.py", "from livery import stores"),
        ("core/a.py", "from livery import resolve"),
        ("core/a.py", "from ..stores.base import Store"),
        ("core/__init__.py", "from ..stores import base"),
        ("core/a.py", "def f():\n    from livery.formats import yaml"),
        ("core/a.py", "class A:\n    def f(self):\n        import livery.service"),
        ("core/a.py", "import importlib\nimportlib.import_module('livery.stores')"),
        ("core/a.py", "if TYPE_CHECKING:\n    pass\nelse:\n    import livery.stores"),
        ("errors.py", "from livery.core import names"),
        ("outcomes.py", "from livery.core import names"),
        ("settings/a.py", "from livery.formats import yaml"),
        ("stores/a.py", "from livery.service import RegistryService"),
        ("service.py", "from livery.http import app"),
        ("chat/a.py", "from livery.http import app"),
        ("mcp/a.py", "from livery.chat import plan"),
        ("cli/main.py", "from livery.http import app"),
        ("utils.py", ""),
    ],
)
def test_a_wrong_direction_is_found(tmp_path: Path, file: str, text: str) -> None:
    assert wrong_direction(package(tmp_path, {file: text}))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "core/a.py",
            "import msgspec\nfrom livery.core.names import slug\nfrom . import b\nfrom .. import errors",
        ),
        ("core/a.py", "if TYPE_CHECKING:\n    from livery.stores import base"),
        ("core/a.py", "import typing\nif typing.TYPE_CHECKING:\n    from livery.stores import base"),
        ("formats/a.py", "from livery.settings import schema"),
        ("http/app.py", "from livery.chat import plan\nfrom livery import outcomes"),
        ("mcp/a.py", "import mcp\nfrom mcp.server import Server"),
        ("cli/main.py", "def serve():\n    from livery.http import app"),
        ("cli/main.py", "from livery import __version__"),
    ],
)
def test_a_right_direction_passes(tmp_path: Path, file: str, text: str) -> None:
    assert wrong_direction(package(tmp_path, {file: text})) == []


@pytest.mark.parametrize(
    "text",
    [
        *(f"import {name}" for name in ["os", "pathlib", "time", "random", "socket", "sqlite3", "threading", "click"]),
        "def f():\n    from datetime import datetime",
        "import os.path as path",
        "def f():\n    return open('x')",
    ],
)
def test_an_impure_core_is_found(tmp_path: Path, text: str) -> None:
    assert impure_core(package(tmp_path, {"core/a.py": text}))


@pytest.mark.parametrize(
    "files",
    [
        {"cli/main.py": "import pydantic"},
        {"cli/main.py": "try:\n    from fastapi import FastAPI\nexcept ImportError:\n    pass"},
        {"service.py": "from livery.stores import postgres", "stores/postgres.py": "import psycopg"},
        {"service.py": "from livery.stores.sql import a", "stores/sql/__init__.py": "import psycopg.rows"},
        {"core/a.py": "class A:\n    import httpx2"},
    ],
)
def test_a_heavy_import_is_found(tmp_path: Path, files: dict[str, str]) -> None:
    assert heavy_at_load(package(tmp_path, files), [ROOT, "core", "service", "cli"])


def test_a_heavy_import_inside_a_function_passes(tmp_path: Path) -> None:
    files = {"cli/main.py": "def serve():\n    import uvicorn", "http/app.py": "import fastapi"}
    assert heavy_at_load(package(tmp_path, files), [ROOT, "core", "service", "cli"]) == []
