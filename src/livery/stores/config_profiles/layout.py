"""Which file of a directory of config profiles is what."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from livery.core.names import registry_slug
from livery.errors import Fault, Place, SourceNotFound, SourceUnavailable, ValidationError
from livery.formats.manifest import Entry
from livery.stores.files import real_path
from livery.stores.files.paths import translated


class Layout(NamedTuple):
    """The files of one application; ``slug`` is its name as that of a registry."""

    directory: Path
    app: str
    slug: str

    @property
    def base(self) -> Path:
        return self.directory / f"{self.app}.toml"

    @property
    def profiles(self) -> Path:
        return self.directory / "profiles"

    @property
    def manifest(self) -> Path:
        return self.profiles / "manifest.json"

    @property
    def active(self) -> Path:
        return self.profiles / "active.json"

    def overlay(self, entry: Entry) -> Path:
        """The file of an entry; a ValidationError where its path, or a link on it, leads out of ``profiles/``."""
        if entry.fault is not None:
            raise ValidationError.of([entry.fault._replace(place=Place(str(self.manifest)))])
        path = self.profiles / entry.path
        is_plain = "/" not in entry.path and not os.path.islink(path)
        if not is_plain and not leads_inside(path, self.profiles):
            reason = f"profile {entry.name!r}: {path} leads to {real_path(path)}, out of {self.profiles}"
            raise ValidationError.of([Fault("path", f"{reason}; nothing outside is read", Place(str(self.manifest)))])
        return path


def layout_of(directory: Path, app: str = "") -> Layout:
    """The files of an application; without a name that whose base file there is, see :func:`app_of`."""
    app = app or app_of(directory)
    return Layout(directory, app, registry_slug(app, "app"))


def directory_of(app: str, environ: Mapping[str, str]) -> Path:
    """Where the configuration of an application is, if nobody says otherwise: below ``$XDG_CONFIG_HOME``."""
    named = environ.get("XDG_CONFIG_HOME", "")
    home = Path(named) if os.path.isabs(named) else Path(environ.get("HOME") or Path.home()) / ".config"
    return home / checked_app(app)


def checked_app(app: str) -> str:
    """The name of an application, if a file and a registry can have it."""
    registry_slug(app, "source.app")
    return app


def leads_inside(path: Path, directory: Path) -> bool:
    """Whether a path is below a directory once all links are followed."""
    return real_path(path).is_relative_to(real_path(directory))


def demand_directory(directory: Path) -> None:
    """SourceNotFound where there is nothing, SourceUnavailable where that is no directory."""
    with translated(directory, "cannot be read"):
        try:
            mode = os.stat(directory).st_mode
        except (FileNotFoundError, NotADirectoryError):
            raise SourceNotFound(str(directory)) from None
    if not stat.S_ISDIR(mode):
        raise SourceUnavailable(str(directory), "it must be a directory: that of an application's configuration")


def app_of(directory: Path) -> str:
    """The application whose directory this is, by its base file; a ValidationError where several may be it."""
    own = Path(os.path.abspath(directory)).name
    bases = base_files(directory)
    if own in bases or not bases:
        return _checked(own, directory)
    if len(bases) > 1:
        files = ", ".join(f"{app}.toml" for app in bases)
        raise ValidationError("source", f"{directory} holds several base files ({files}); say which: ?app={bases[0]}")
    return _checked(bases[0], directory)


def base_files(directory: Path) -> list[str]:
    """The names of the applications that a directory holds a base file for, as far as one can tell."""
    try:
        names = sorted(name for name in os.listdir(directory) if name.endswith(".toml") and not name.startswith("."))
    except FileNotFoundError:
        raise SourceNotFound(str(directory)) from None
    except OSError as error:
        raise SourceUnavailable(str(directory), f"cannot be listed: {error.strerror}") from error
    return [name.removesuffix(".toml") for name in names if os.path.isfile(directory / name)]


def _checked(app: str, directory: Path) -> str:
    try:
        registry_slug(app)
    except ValidationError as error:
        reason = f"{directory} does not say whose configuration it is ({error.reason}); give ?app=NAME"
        raise ValidationError("source", reason) from None
    return app
