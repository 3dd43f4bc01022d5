"""How this process is configured: flags over ``LIVERY_*`` over ``livery.toml`` over defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Struct

from livery.core.names import type_name, unknown_field
from livery.errors import Fault, Place, SourceNotFound, ValidationError
from livery.stores.files import read_file
from livery.stores.protocols import Retention
from livery.stores.urls import split_sources

FILE_NAME = "livery.toml"
SYSTEM_HOME = Path("/etc/livery")

_FEWEST_KEPT = 2  # the present version and the one before it stay
_DAY_MS = 86_400_000
_NUMBERS = ("history_keep", "history_days", "port")

Settings = dict[str, tuple[Any, str]]
"""Some fields of the configuration: the value, and where it comes from."""


class Configuration(Struct, frozen=True, kw_only=True):
    """Every setting of the process. A field ``x_y`` is ``--x-y``, ``LIVERY_X_Y`` and ``x_y`` in livery.toml."""

    sources: Annotated[
        tuple[str, ...],
        Meta(description="Where profiles come from, later over earlier: a list, or text with commas."),
    ] = ()
    writer: Annotated[str, Meta(description="The source that is written. Empty: the last one that can be.")] = ""
    default_registry: Annotated[
        str,
        Meta(description="The registry that a name without one means. Empty: the one named `default`, else the first."),
    ] = ""
    profile: Annotated[
        str, Meta(description="The profile that is used where none is named; over the active profile of `livery use`.")
    ] = ""
    state: Annotated[
        str,
        Meta(
            description="The database of trust, the active profile and the audit of files: `sqlite:PATH`, a path or "
            "`postgresql://...`. Empty: the database that is written, else `livery/state.db` in the data folder."
        ),
    ] = ""
    actor: Annotated[
        str, Meta(description="Who writes, as the history and the audit name it. Empty: the login name.")
    ] = ""
    history_keep: Annotated[
        int,
        Meta(description="How many versions of an item are kept in any case, at least 2; 0 keeps all.", ge=0, le=10**9),
    ] = 0
    history_days: Annotated[
        int,
        Meta(description="For how many days a version is kept in any case, once it is an old one.", ge=1, le=10**5),
    ] = 30
    host: Annotated[str, Meta(description="The address that `livery serve` listens on.")] = "127.0.0.1"
    port: Annotated[int, Meta(description="The port that `livery serve` listens on.", ge=0, le=65535)] = 8420
    base: Annotated[
        dict[str, Any], Meta(description="Base settings (section, field, value) that lie under every profile.")
    ] = {}

    @property
    def retention(self) -> Retention:
        """How much of the history is kept."""
        return Retention(self.history_keep, self.history_days * _DAY_MS)


class Configured(NamedTuple):
    """The configuration, and for each of its fields where the value comes from (``default``, a variable, a file)."""

    values: Configuration
    origins: dict[str, str]
    files: tuple[Path, ...]


def load_configuration(
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    cwd: Path,
    file: Path | None = None,
    *,
    system: Path = SYSTEM_HOME,
) -> Configured:
    """The configuration of a process; ``flags`` that are None or empty were not given.

    ``file`` is read in place of the usual ones and must exist. Faults of files and variables are a ValidationError.
    ``system`` is the folder of the machine's own files.
    """
    usual = (system / FILE_NAME, config_home(environ) / FILE_NAME, cwd / FILE_NAME)  # from the lowest to the highest
    found = [file] if file is not None else [path for path in usual if os.path.isfile(path)]
    layers = [*(_of_file(path) for path in found), _of_environment(environ), _of_flags(flags)]
    settings = {name: setting for layer in layers for name, setting in layer.items()}
    origins = dict.fromkeys(Configuration.__struct_fields__, "default")
    origins |= {name: origin for name, (_, origin) in settings.items()}
    try:
        values = msgspec.convert({name: value for name, (value, _) in settings.items()}, Configuration)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).replace("Expected `int`", "expected a number").partition(" - at `$.")
        field = path.rstrip("`").partition("[")[0]
        raise ValidationError(field, f"{reason} ({origins.get(field, 'configuration')})") from None
    if 0 < values.history_keep < _FEWEST_KEPT:
        reason = f"expected 0, which keeps all, or at least {_FEWEST_KEPT} ({origins['history_keep']})"
        raise ValidationError("history_keep", reason)
    return Configured(values, origins, tuple(found))


def config_home(environ: Mapping[str, str]) -> Path:
    """``$XDG_CONFIG_HOME/livery`` or ``~/.config/livery``."""
    return _home(environ, "XDG_CONFIG_HOME", ".config") / "livery"


def data_home(environ: Mapping[str, str]) -> Path:
    """``$XDG_DATA_HOME/livery`` or ``~/.local/share/livery``."""
    return _home(environ, "XDG_DATA_HOME", ".local/share") / "livery"


def _home(environ: Mapping[str, str], variable: str, default: str) -> Path:
    named = environ.get(variable, "")
    if named and Path(named).is_absolute():  # the XDG rules say to ignore relative ones
        return Path(named)
    return Path(environ.get("HOME") or Path.home()) / default


def _of_file(path: Path) -> Settings:
    from livery.formats.toml import read_toml  # loaded only where there is a file

    try:
        text = read_file(path).decode()
    except UnicodeDecodeError:
        raise ValidationError("", f"{path} is not UTF-8") from None
    except SourceNotFound:
        raise SourceNotFound(str(path), where="(a configuration file)") from None
    values = read_toml(text, str(path))
    faults = [Fault(key, reason, Place(str(path))) for key, value in values.items() if (reason := _fault(key, value))]
    if faults:
        raise ValidationError.of(faults)
    return {key: (_read(key, value), str(path)) for key, value in values.items()}


def _of_environment(environ: Mapping[str, str]) -> Settings:
    found: Settings = {}
    for field in Configuration.__struct_fields__:
        variable = f"LIVERY_{field.upper()}"
        text = environ.get(variable, "")
        if text.strip() and field != "base":  # an empty variable is as good as none; `base` is no text
            found[field] = (_from_text(field, text, variable), variable)
    return found


def _of_flags(flags: Mapping[str, Any]) -> Settings:
    names = {"sources": "--source"}
    given = {name: value for name, value in flags.items() if value not in (None, (), "")}
    return {name: (value, names.get(name, f"--{name.replace('_', '-')}")) for name, value in given.items()}


def _from_text(field: str, text: str, variable: str) -> Any:
    if field == "sources":
        return tuple(split_sources(text, variable))
    return _number(text, variable) if field in _NUMBERS else text.strip()


def _number(text: str, variable: str) -> int:
    try:
        return int(text)
    except ValueError:  # also of more digits than anybody means
        raise ValidationError(variable, f"expected a number, got {text[:40]!r}") from None


def _fault(field: str, value: Any) -> str:
    """Why a field of a file cannot be as it is; empty where it can."""
    if field not in Configuration.__struct_fields__:
        return unknown_field(field, Configuration.__struct_fields__)
    kinds: dict[str, Any] = {"sources": list | str, "base": dict, **dict.fromkeys(_NUMBERS, int)}
    if not isinstance(value, kinds.get(field, str)) or isinstance(value, bool):
        return f"cannot be {type_name(value)}"
    items = value if field == "sources" and isinstance(value, list) else []
    return next((f"cannot hold {type_name(item)}" for item in items if not isinstance(item, str)), "")


def _read(field: str, value: Any) -> Any:
    if field == "sources" and isinstance(value, str):
        return tuple(split_sources(value))
    return tuple(value) if isinstance(value, list) else value
