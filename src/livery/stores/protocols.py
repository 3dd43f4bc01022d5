"""What a store can do, by capability: a read-only one has no ``save``. The service is the only caller of stores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol, cast, runtime_checkable

from livery.core.names import Reference
from livery.core.profile import Profile, Registry
from livery.errors import Fault, LiveryError, Place


class Seen(NamedTuple):
    """What the checks of a write have looked at: the state that they were made in, by its number in the change log.

    ``items`` are profiles and registries (an empty profile), ``bases`` the profiles whose users were looked for.
    """

    seq: int
    items: frozenset[tuple[str, str]]
    bases: frozenset[Reference] = frozenset()


class WriteOptions(NamedTuple):
    """The circumstances of one write.

    ``expected_version`` None does not check, 0 demands that nothing is there. ``floor`` is a version that the new one
    must be above: that of a lower source's profile which the write is laid over. ``like`` is a profile of the same
    registry that a new one is a copy of: where its text is kept, the new one begins with that, comments included.
    Times are UTC epoch milliseconds. ``action`` is the name of what is done (empty: create, update or delete, as it
    turns out) and ``diff`` what it changes, secrets redacted, as JSON text: both for the audit. ``seen`` is what was
    checked before: a store with a change log raises :class:`Overtaken` where that has changed since.
    """

    expected_version: int | None = None
    actor: str = ""
    source: str = ""
    request_id: str = ""
    at_ms: int = 0
    floor: int = 0
    like: str = ""
    action: str = ""
    diff: str = ""
    seen: Seen | None = None


class Overtaken(Exception):
    """What a write was checked against has changed since: nothing is written, the check has to be made again."""


class BrokenItem(NamedTuple):
    """A registry (``profile`` empty) or a profile that is there and cannot be used, and why."""

    registry: str
    profile: str
    error: LiveryError


class Field(NamedTuple):
    """A field of a stored document; ``profile`` empty: of the registry itself. E.g. ``runtime.system_prompt``."""

    registry: str
    profile: str
    field: str


class Notice(NamedTuple):
    """What deserves a warning about a registry (``profile`` empty) or a profile that can be used all the same.

    ``blocking`` is an error that has to be mended, though nothing that can be used needs it: an entry without a name.
    """

    registry: str
    profile: str
    fault: Fault
    blocking: bool = False


class Event(NamedTuple):
    """One change of a registry (``profile`` empty) or of a profile: a row of the audit and of the change log.

    ``seq`` counts from 1 in the order of the commits, without gaps. A version of 0 is that of nothing: what was created
    comes from it, what was deleted goes to it. ``scope`` is ``presentation`` where only names, descriptions, tags or
    extensions have changed, else ``runtime``. ``source`` says where the write came from (cli, api, ...), ``diff`` is
    JSON text with secrets redacted.
    """

    seq: int
    at_ms: int
    actor: str
    action: str
    registry: str
    profile: str
    from_version: int
    to_version: int
    scope: str = "runtime"
    source: str = ""
    request_id: str = ""
    diff: str = ""


class EventQuery(NamedTuple):
    """Which events are wanted; empty fields ask for any. ``profile`` "" is the registry itself, None any item.

    ``after`` and ``before`` are exclusive bounds of ``seq``; ``since_ms`` is inclusive, ``until_ms`` exclusive.
    """

    registry: str = ""
    profile: str | None = None
    actor: str = ""
    action: str = ""
    since_ms: int = 0
    until_ms: int = 0
    after: int = 0
    before: int = 0
    limit: int = 100
    newest_first: bool = True


class Retention(NamedTuple):
    """Which revisions may go: those older than ``min_age_ms``, but for the newest ``keep`` of an item (at least two).

    Zero keeps everything. The age counts from when a revision was superseded; less than an hour counts as an hour,
    since a catalogue that is in use may need what was superseded a moment ago.
    """

    keep: int = 0
    min_age_ms: int = 3_600_000


class StoreFacts(NamedTuple):
    """What a list of sources says of a store: its size, the version of its schema, the last number of its log."""

    size_bytes: int | None = None
    schema_version: int | None = None
    seq: int | None = None


class Snapshot(Protocol):
    """A store as it was right after one change of its log; its profiles are read one by one, as they were then.

    Safe for threads. ``heads`` are the registries without profiles, by slug; ``broken`` registries that cannot be read.
    ``events`` are the changes since the snapshot that it follows, in order; ``follows`` is that one's number, None
    where nobody can say what has changed since.
    """

    seq: int
    heads: tuple[Registry, ...]
    broken: tuple[BrokenItem, ...]
    events: tuple[Event, ...]
    follows: int | None

    def profile(self, registry: str, slug: str) -> Profile | None:
        """One profile; ValidationError where its row is broken, SourceUnavailable where nobody could look."""

    def count(self, registry: str) -> int:
        """How many profiles a registry has, broken ones too."""

    def names(self, registry: str, *, prefix: str = "", after: str = "", limit: int | None = None) -> list[str]:
        """The slugs of the profiles of a registry in order: those that begin with ``prefix``, after ``after``."""

    def page(
        self, registry: str, *, after: str = "", limit: int, query: str = "", tag: str = ""
    ) -> list[Profile | BrokenItem]:
        """Profiles without runtime, bases and extensions, by slug, after ``after``; the cost does not grow with it.

        ``query`` is found in slug, display name, description or a tag, whatever its case; ``tag`` is one of the tags.
        """

    def users(self, base: Reference) -> list[Reference]:
        """The profiles whose documents extend another, of all registries."""

    def users_of_registry(self, registry: str) -> list[Reference]:
        """The profiles of other registries that extend one of this."""


class Loaded(NamedTuple):
    """All that a store holds: registries with their sound profiles, and what is broken; ``token`` names this state.

    Where ``read`` is given, the profiles are headings alone (slug, names, description, version, times, tags) and it
    gives the whole of one, by registry and slug, when it is first needed; SourceNotFound or a ValidationError where
    that one is missing or broken. ``bases`` then gives, for a registry, what its profiles extend, as far as they say so
    and can be read: quicker than to read them all. ``remarks`` gives what deserves a warning in one of them.
    Where ``snapshot`` is given, the registries have no profiles here: each is asked for there.
    """

    registries: tuple[Registry, ...]
    broken: tuple[BrokenItem, ...] = ()
    token: str = ""
    notices: tuple[Notice, ...] = ()
    read: Callable[[str, str], Profile] | None = None
    bases: Callable[[str], Mapping[str, tuple[Reference, ...]]] | None = None
    remarks: Callable[[str, str], Sequence[Fault]] | None = None
    snapshot: Snapshot | None = None


@runtime_checkable
class ProfileStore(Protocol):
    """A place that registries are read from. Opening and reading one never creates or changes anything.

    The one exception is an index that can be made anew from what it is an index of.
    """

    kind: str
    url: str
    """Where it is, credentials masked: what people see as the source of a value."""
    writable: bool
    advice: str
    """What would make it writable, where it is not and something would; else empty."""

    def load_registries(self) -> Loaded:
        """Everything in the store; SourceNotFound or SourceUnavailable where it cannot be read."""

    def get_profile(self, registry: str, slug: str) -> Profile | None:
        """One profile as it is stored now."""

    def changes(self, since: str) -> str:
        """The token of the present state: equal to ``since`` where nothing has changed."""

    def places(self, wanted: Sequence[Field], token: str) -> list[Place | None]:
        """The file and line of each wanted field, where there is a file and it is still in the state of the token."""

    def watched(self) -> Sequence[Path]:
        """The files and directories (with what lies directly in them) whose changes may be changes of this store.

        Some may not exist, and links count as they stand. Empty where there is nothing to watch.
        """

    def close(self) -> None:
        """Let go of everything; closing twice is fine, any other call after it is an error."""


@runtime_checkable
class WritableProfileStore(ProfileStore, Protocol):
    """A store that is written. Each write is a compare-and-swap: VersionConflict writes nothing.

    A write raises the version by one; ``created_*`` never change; a deleted and recreated item goes on counting.
    """

    def demand_room(self, item: Profile | Registry) -> None:
        """Unsupported where a document says something that the layout has no place for; nothing is read or written."""

    def save_registry(self, registry: Registry, options: WriteOptions) -> Registry:
        """Store the registry-level fields and give back what is stored; only a new registry brings profiles along."""

    def save_profile(self, profile: Profile, options: WriteOptions) -> Profile:
        """Store a profile and give back what is stored; RegistryNotFound where its registry is not there."""

    def delete_profile(self, reference: Reference, options: WriteOptions) -> None:
        """Remove a profile; ProfileNotFound where it is not there."""

    def delete_registry(self, slug: str, options: WriteOptions) -> None:
        """Remove a registry with its profiles; RegistryNotFound where it is not there."""


@runtime_checkable
class HistoryStore(WritableProfileStore, Protocol):
    """A store that keeps a change log, every revision, and states that are asked for profile by profile."""

    def follow(self, snapshot: Snapshot | None) -> Snapshot:
        """The state now: the same object where nothing has changed, else one that says what has changed since."""

    def snapshot_at(self, seq: int) -> Snapshot:
        """The state right after a change; its events are empty."""

    def seq_at(self, at_ms: int) -> int:
        """The number of the last change up to a time; 0 where there was none."""

    def events(self, query: EventQuery) -> list[Event]:
        """The changes that are wanted."""

    def revision(self, registry: str, profile: str, version: int) -> Profile | Registry | None:
        """A profile, or a registry without its profiles, as it was in a version; None where that is not kept."""

    def transaction(self, *, exclusive: bool = False) -> AbstractContextManager[WritableProfileStore]:
        """Several writes as one: all are stored at the end, or none is. What it gives is written within it alone.

        With ``exclusive`` nobody else can change anything from its beginning on.
        """

    def prune(self, retention: Retention, now_ms: int) -> int:
        """Drop revisions that nobody has to keep; how many. Events stay."""

    def facts(self) -> StoreFacts:
        """Its size and schema."""

    def listen(self, wake: Callable[[], None], stop: Callable[[float], bool]) -> None:
        """Call ``wake`` whenever there may be a change, until ``stop``, which waits so many seconds, says true.

        It returns at once where there is nothing to listen to but :meth:`watched`. A lost connection is made again.
        """


_keeps_history: dict[type, bool] = {}


def history_of(store: ProfileStore | None) -> HistoryStore | None:
    """The store, if it is one that keeps its history; quicker than to ask what it can do each time."""
    kind = type(store)
    if kind not in _keeps_history:
        _keeps_history[kind] = isinstance(store, HistoryStore)
    return cast(HistoryStore, store) if _keeps_history[kind] else None


@runtime_checkable
class ActiveProfileStore(ProfileStore, Protocol):
    """A store that keeps a pointer of its own to the profile in use, beside its profiles."""

    def active_profile(self) -> Reference | None:
        """The profile of the last :meth:`use_profile`; None where there was none."""

    def use_profile(self, reference: Reference, options: WriteOptions) -> None:
        """Make a profile the active one. The last ten are remembered; the profile itself does not change."""

    def follow_rename(self, old: Reference, new: Reference, options: WriteOptions) -> None:
        """Let the pointer, and what it remembers, follow a profile to its new name; both are there."""

    def use_previous_profile(self, options: WriteOptions) -> Reference | None:
        """Go back to the profile that was active before and give it back; None where there was none."""
