"""Writes to every kind of file that Livery writes, each with the state before it: for tests that let them fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from livery.core.names import Reference
from livery.core.profile import Profile, Registry, RuntimeSpec
from livery.stores.config_profiles import ConfigProfilesStore
from livery.stores.files import atomic_write, locked, remove_file, replace_directory, replace_file
from livery.stores.profile_store import DirectoryStore
from livery.stores.protocols import Loaded, WritableProfileStore, WriteOptions
from livery.stores.yaml import YAMLStore

AT = WriteOptions(actor="alice", source="test", at_ms=1_000)
"""Always the same, so that the same write gives the same bytes."""


class Scenario(NamedTuple):
    """A write, and what is there before it, in a directory of its own."""

    prepare: Callable[[Path], None]
    act: Callable[[Path], object]
    act_next: Callable[[Path], object]
    """Another write, which works whether the first was done or not."""
    load: Callable[[Path], Loaded] | None = None
    matters: tuple[str, ...] = ()
    """The files without which the write is not done; all of them where none is named."""


class Writer(NamedTuple):
    """A store to go on and on writing to: ``profile`` makes one that holds a number twice, ``numbers`` finds them."""

    prepare: Callable[[Path], None]
    opened: Callable[[Path], WritableProfileStore]
    profile: Callable[[str, int], Profile]
    numbers: Callable[[dict[str, Any]], list[Any]]
    slugs: tuple[str, ...] = ("coder", "writer")

    def write_on(self, directory: Path, turn: int, say: Callable[[list[Any]], None]) -> None:
        """Write for ever, now this profile, now that one; what is written is said: (slug, version, number)."""
        number = turn * 1_000_000
        store = self.opened(directory)
        while True:
            number += 1
            slug = self.slugs[number % len(self.slugs)]
            saved = store.save_profile(self.profile(slug, number), AT)
            say([slug, saved.version, number])

    def held(self, directory: Path) -> dict[str, list[int]]:
        """What the store holds now: slug → (version, number). An error where any of it is broken or half written."""
        loaded = self.opened(directory).load_registries()
        assert not loaded.broken, loaded.broken
        (registry,) = loaded.registries
        read = loaded.read or (lambda _, slug: registry.profiles[slug])
        found = {}
        for profile in (read("team", slug) for slug in registry.profiles if slug in self.slugs):
            settings = profile.runtime.step_settings_patch
            one, other = self.numbers(settings) if isinstance(settings, dict) else (0, 0)
            assert one == other, f"{profile.slug} is half written: {one}, {other}"
            found[profile.slug] = [profile.version, one]
        return found


# Bare files


def _prepare_file(directory: Path) -> None:
    file = directory / "a.txt"
    file.write_bytes(b"old " * 100)
    file.chmod(0o640)


def _prepare_link(directory: Path) -> None:
    (directory / "real").mkdir()
    _prepare_file(directory / "real")
    (directory / "a.txt").symlink_to("real/a.txt")


def _new(_: bytes | None) -> bytes:
    return b"new content " * 100


def _write_two(directory: Path) -> None:
    with locked(directory / "a.txt"):
        atomic_write(directory / "b.txt", _new(None))
        atomic_write(directory / "a.txt", _new(None), temp_name="a.txt.tmp")


def _replace(name: str, **options: Any) -> Callable[[Path], object]:
    return lambda directory: replace_file(directory / name, _new, **options)


def _prepare_directories(directory: Path) -> None:
    for name, text in (("store", "old"), ("scaffold", "new")):
        (directory / name / "profiles").mkdir(parents=True)
        (directory / name / "profiles" / "default.yaml").write_text(text)


def _replace_directory(directory: Path) -> object:
    return replace_directory(directory / "scaffold", directory / "store")


# A YAML file

_YAML = """\
# The team's own.
slug: team
profiles:
  coder: {display_name: Coder}  # writes
  writer: {display_name: Writer}
"""


def _prepare_yaml(directory: Path) -> None:
    (directory / "team.yaml").write_text(_YAML)


def _yaml(directory: Path) -> YAMLStore:
    return YAMLStore(directory / "team.yaml")


# Directories of profiles

_MANIFEST = """\
{
  "version": 1,
  "owner": "platform",
  "profiles": [
    {"name": "coder", "path": "coder.toml", "created_at": 1, "updated_at": 1},
    {"name": "writer", "path": "writer.toml", "created_at": 1, "updated_at": 1, "color": "red"}
  ]
}
"""
_PROFILE_STORE = {
    "runtime.yaml": "routeTimeoutSeconds: 10  # seconds\n",
    "callers.yaml": "callers: {default: default, editor: coder}\n",
    "profiles/default.yaml": "servers: []\n",
    "profiles/coder.yaml": "# Writes.\nservers:\n  - {name: git, cmd: [mcp-git]}\n",
    "profiles/writer.yaml": "servers: []\n",
}
_CONFIG_PROFILES = {
    "team.toml": "# The base.\nlevel = 1\n",
    "profiles/coder.toml": "# Writes.\nlevel = 0\n",
    "profiles/writer.toml": "level = 0\n",
    "profiles/manifest.json": _MANIFEST,
}


def _prepare_store(files: dict[str, str]) -> Callable[[Path], None]:
    def prepare(directory: Path) -> None:
        (directory / "profiles").mkdir(mode=0o750)
        for name, text in files.items():
            (directory / name).write_text(text)
            (directory / name).chmod(0o640)

    return prepare


def _profile_store(directory: Path) -> DirectoryStore:
    return DirectoryStore(directory, registry="team")


def _config_profiles(directory: Path) -> ConfigProfilesStore:
    return ConfigProfilesStore(directory, "team")


# What may be done to a store


def _limits(number: int) -> dict[str, Any]:
    return {"chat": {"max_response_tokens": number}, "client": {"timeout": number}}


NEW = Profile(slug="new", registry="team", runtime=RuntimeSpec(step_settings_patch={"chat": {"engine": "gpt-5-mini"}}))
EDITED = replace(NEW, slug="coder")


def _keys(slug: str, number: int) -> Profile:
    settings = {"routeTimeoutSeconds": number, "pingIntervalSeconds": number}
    return Profile(slug=slug, registry="team", runtime=RuntimeSpec(step_settings_patch=settings, servers=[]))


def _overlay(slug: str, number: int) -> Profile:
    settings = {"level": number, "deeper": {"level": number}}
    return Profile(slug=slug, registry="team", runtime=RuntimeSpec(step_settings_patch=settings))


def _scenarios(
    name: str,
    prepare: Callable[[Path], None],
    opened: Callable[[Path], WritableProfileStore],
    act_next: Callable[[Any], object],
    **acts: Callable[[Any], object],
) -> dict[str, Scenario]:
    def done(act: Callable[[Any], object]) -> Callable[[Path], object]:
        return lambda directory: act(opened(directory))

    return {
        f"{name}: {title}": Scenario(prepare, done(act), done(act_next), lambda it: opened(it).load_registries())
        for title, act in acts.items()
    }


SCENARIOS: dict[str, Scenario] = {
    f"a file: {title}": Scenario(prepare, act, act)
    for title, (prepare, act) in {
        "replace": (_prepare_file, _replace("a.txt")),
        "replace, with a name for the temporary one": (_prepare_file, _replace("a.txt", temp_name="t.tmp")),
        "replace through a link": (_prepare_link, _replace("a.txt")),
        "new": (_prepare_file, _replace("b.txt")),
        "new, in new directories": (_prepare_file, _replace("b/c/d.txt")),
        "remove": (_prepare_file, lambda directory: remove_file(directory / "a.txt")),
        "two under one lock": (_prepare_file, _write_two),
    }.items()
}
REPLACED_DIRECTORY = "a directory: replace"
SCENARIOS[REPLACED_DIRECTORY] = Scenario(_prepare_directories, _replace_directory, _replace_directory)
SCENARIOS |= _scenarios(
    "YAML",
    _prepare_yaml,
    _yaml,
    act_next=lambda store: store.save_registry(Registry(slug="next"), AT),
    create=lambda store: store.save_profile(NEW, AT),
    edit=lambda store: store.save_profile(EDITED, AT),
    delete=lambda store: store.delete_profile(Reference("team", "coder"), AT),
    save_registry=lambda store: store.save_registry(Registry(slug="other"), AT),
    delete_registry=lambda store: store.delete_registry("team", AT),
)
SCENARIOS |= _scenarios(
    "a profile store",
    _prepare_store(_PROFILE_STORE),
    _profile_store,
    act_next=lambda store: store.save_profile(_keys("coder", 7), AT),
    create=lambda store: store.save_profile(_keys("new", 3), AT),
    edit=lambda store: store.save_profile(_keys("coder", 3), AT),
    delete=lambda store: store.delete_profile(Reference("team", "writer"), AT),
    save_registry=lambda store: store.save_registry(Registry(slug="team", callers={"editor": "writer"}), AT),
)
SCENARIOS |= _scenarios(
    "config profiles",
    _prepare_store(_CONFIG_PROFILES),
    _config_profiles,
    act_next=lambda store: store.save_profile(_overlay("writer", 7), AT),
    create=lambda store: store.save_profile(_overlay("new", 3), AT),
    edit=lambda store: store.save_profile(_overlay("coder", 3), AT),
    delete=lambda store: store.delete_profile(Reference("team", "coder"), AT),
    save_default=lambda store: store.save_profile(_overlay("default", 3), AT),
    use=lambda store: store.use_profile(Reference("team", "coder"), AT),
)
_USE = "config profiles: use"
SCENARIOS[_USE] = SCENARIOS[_USE]._replace(matters=("profiles/active.json",))  # when it was used is a note, no more


WRITERS: dict[str, Writer] = {
    "YAML": Writer(
        _prepare_yaml,
        _yaml,
        lambda slug, number: replace(NEW, slug=slug, runtime=RuntimeSpec(step_settings_patch=_limits(number))),
        lambda settings: [settings["chat"]["max_response_tokens"], settings["client"]["timeout"]],
    ),
    "a profile store": Writer(
        _prepare_store(_PROFILE_STORE | {"runtime.yaml": ""}),
        _profile_store,
        _keys,
        lambda settings: [settings["routeTimeoutSeconds"], settings["pingIntervalSeconds"]],
    ),
    "config profiles": Writer(
        _prepare_store(_CONFIG_PROFILES),
        _config_profiles,
        _overlay,
        lambda settings: [settings["level"], settings.get("deeper", settings)["level"]],
    ),
}
