"""What every client sees of the new store, compared with what it saw of the old file by the old rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from livery.core.diff import diff
from livery.core.profile import Profile, Registry, ResolveInput, RuntimeSpec
from livery.core.redact import marked
from livery.core.values import hidden
from livery.errors import LiveryError, MigrationDiffers, ValidationError
from livery.formats.profile_store import read_profile_file
from livery.formats.yaml import write_yaml
from livery.formats.yaml_edit import changed
from livery.migrate.profile_store.clients import DEFAULT, Client, is_visible
from livery.migrate.profile_store.layout import SERVERS
from livery.migrate.profile_store.monolith import Monolith
from livery.migrate.profile_store.plan import Plan
from livery.migrate.profile_store.rewriting import changes_of
from livery.migrate.profile_store.sub_agent import KEY, SWITCH, TAGS
from livery.service import RegistryService
from livery.settings import schema_named
from livery.stores.chain import Chain, Source
from livery.stores.memory import MemoryStore
from livery.stores.opening import open_source
from livery.stores.profile_store.reading import SCHEMA
from livery.stores.urls import SourceURL, parse_source

_REGISTRY = "migrated"
_LEFT_OUT = (
    "not compared: clients without tags (the caller 'default', unknown callers, no caller); "
    "with --default untagged they see fewer servers than before"
)


def prove_equal(plan: Plan, store: Path) -> list[str]:
    """What was proved, as lines; MigrationDiffers names every leaf that differs for a client.

    ValidationError with the faults of the store, if it should have any.
    """
    views = [(name, client) for name, client in _views(plan) if not _sees_less(client, plan)]
    service = _service_of(store)
    try:
        _demand_sound(service)
        differences = [line for name, client in views for line in _differences(name, client, plan.monolith, service)]
    finally:
        service.close()
    if differences:
        raise MigrationDiffers(differences)
    noun = "client" if len(views) == 1 else "clients"
    proved = f"proved equal for {len(views)} {noun}: {', '.join(name or 'one without a name' for name, _ in views)}"
    return [proved, *([_LEFT_OUT] if len(views) <= len(plan.clients) else [])]


def _sees_less(client: Client, plan: Plan) -> bool:
    """Whether a client gets fewer servers than before because that was asked for."""
    return client.profile == DEFAULT and plan.choices.default == "untagged"


def _views(plan: Plan) -> list[tuple[str, Client]]:
    """Each caller's name, and the client that it was; without a name a client had no tags."""
    return [("", plan.clients[0]), *((client.caller, client) for client in plan.clients)]


def _service_of(store: Path) -> RegistryService:
    url = SourceURL(SCHEMA, str(store), readonly=True, options=(("registry", _REGISTRY),), text=str(store))
    return RegistryService(Chain([open_source(url)], schema_named), schema_named)


def _demand_sound(service: RegistryService) -> None:
    faults = [finding.fault for finding in service.findings if finding.blocking]
    if faults:
        raise ValidationError.of(faults)


def _differences(name: str, client: Client, monolith: Monolith, service: RegistryService) -> Iterator[str]:
    schema = schema_named(SCHEMA)
    before = _before(client, monolith)
    after = _seen(service, ResolveInput(registry_slug=_REGISTRY, caller=name or None))
    who = f"client {name}" if name else "a client without a name"
    if "error" in after:
        yield f"{who}: {after['error']}"
        return
    for change in diff(marked((), before, schema), marked((), after, schema)):
        yield f"{who}: {change.path}: {hidden(change.before)!r} became {hidden(change.after)!r}"


def _seen(service: RegistryService, request: ResolveInput) -> dict[str, Any]:
    try:
        resolved = service.resolve_effective_profile(request)
    except LiveryError as error:
        return {"error": f"{error.code}: {error}"}
    return {"step_settings_patch": resolved.effective_step_settings, "servers": resolved.effective_servers}


def _before(client: Client, monolith: Monolith) -> dict[str, Any]:
    """The effective view that the old file gave a client: its values by the old rules, with the same defaults."""
    document = _view(client, monolith)
    read = read_profile_file(write_yaml(document), monolith.file)
    runtime = RuntimeSpec(servers=read.servers, step_settings_patch=read.settings)
    registry = Registry(
        slug=_REGISTRY,
        settings_schema=SCHEMA,
        default_profile_slug=DEFAULT,
        profiles={DEFAULT: Profile(slug=DEFAULT, registry=_REGISTRY, runtime=runtime)},
    )
    chain = Chain([Source(parse_source("memory:"), MemoryStore([registry]))], schema_named)
    return _seen(RegistryService(chain, schema_named), ResolveInput(registry_slug=_REGISTRY))


def _view(client: Client, monolith: Monolith) -> dict[str, Any]:
    document: dict[str, Any] = changed(monolith.document, changes_of(monolith.moves))
    servers = [server for server in document[SERVERS] if is_visible(server, client.tags)]
    view = {**document, SERVERS: [_without(server, "tags") for server in servers]}
    enabled = monolith.sub_agent.enabled_for(client.tags)
    if isinstance(view.get(KEY), Mapping):
        view[KEY] = _without(view[KEY], TAGS, SWITCH) | ({SWITCH: enabled} if enabled is not None else {})
    return view


def _without(mapping: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}
