"""What all writes share: one at a time, made from the state that stands, checked as a whole, then saved.

Every write goes to one layer, that of the designated writer; what other sources hold stays as it is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from livery.core.catalogue import Catalogue, RegistryView
from livery.core.json_faults import json_faults
from livery.core.names import Reference, profile_slug, registry_slug, type_name
from livery.core.paths import Path
from livery.core.profile import Profile, Registry
from livery.core.schema import SettingsSchema
from livery.core.selection import default_registry
from livery.core.stack import ProfileLayer, ProfileStack
from livery.errors import (
    Locked,
    Place,
    RegistryNotFound,
    SourceNotFound,
    SourceReadOnly,
    SourceUnavailable,
    Unsupported,
    ValidationError,
    VersionConflict,
)
from livery.service.differences import diff_text
from livery.service.reading import registry_document
from livery.stores.chain import Chain, Instead, SchemaNamed, registry_of
from livery.stores.copies import copied_profile
from livery.stores.journaled import Journal, journaled
from livery.stores.protocols import (
    Field,
    HistoryStore,
    Overtaken,
    Seen,
    WritableProfileStore,
    WriteOptions,
    history_of,
)

T = TypeVar("T")
_MOST_TRIES = 4
_LONGEST_S = 3.0  # of being locked out of a database, after which it is not tried again


class Writes:
    """The ground of the writes of :class:`livery.service.RegistryService`. Safe for threads."""

    def __init__(
        self, chain: Chain, schema_named: SchemaNamed, clock: Callable[[], int], journal: Journal | None = None
    ) -> None:
        self._chain = chain
        self._schema_named = schema_named
        self._clock = clock
        self._journal = journal
        self._lock = threading.RLock()
        self._present = Catalogue({})
        """The state that the present write is made from."""
        self._batch: WritableProfileStore | None = None

    def _written(self, write: Callable[[], T], options: WriteOptions) -> T:
        """What a write gives, made again on what another process has changed in between; after it, it is seen here.

        A write that expects no version goes on from whatever is there; one that does is checked anew, and fails then.
        """
        with self._lock:
            result = self._tried(write, options)
            self._chain.refresh(self._clock())
            return result

    def _tried(self, write: Callable[[], T], options: WriteOptions) -> T:
        until = time.monotonic() + _LONGEST_S
        for _ in range(_MOST_TRIES):
            try:
                return write()
            except Overtaken:
                continue
            except Locked:
                if not self._present.seqs or time.monotonic() > until:
                    raise  # whoever has the lock was waited for already
            except VersionConflict:
                if options.expected_version is not None:
                    raise
        try:
            with self._transaction(exclusive=True):
                return write()
        except Overtaken:  # though nobody else could write: its log was put back in the meantime
            label = self._chain.writer_store().url
            raise SourceUnavailable(label, "it was replaced while it was written; try again") from None

    @contextmanager
    def _transaction(self, *, exclusive: bool = False) -> Iterator[WritableProfileStore]:
        """The writer's store; where it can, all that is written through it by then is stored at once, or not at all.

        What is read meanwhile is the state before. With ``exclusive`` nobody else changes anything from here on.
        """
        store = self._writer()
        keeper = history_of(store) if self._batch is None else None
        if keeper is None:
            yield store
            return
        with keeper.transaction(exclusive=exclusive) as batch:
            self._batch = batch
            try:
                yield batch
            finally:
                self._batch = None

    @contextmanager
    def _alone(self) -> Iterator[WritableProfileStore]:
        """The writer's store, which nobody else writes from here on; Overtaken where it has changed since the check.

        For what was checked against all there is: :class:`Seen` can name only what was there.
        """
        with self._transaction(exclusive=True) as store:
            writer = self._chain.writer
            label = writer.label if writer is not None else ""
            if self._chain.refresh(self._clock()).seqs.get(label) != self._present.seqs.get(label):
                raise Overtaken(label)
            yield store

    def _history_store(self) -> HistoryStore:
        """The writer as a store that keeps its history; Unsupported where it does not."""
        store = self._chain.writer_store()
        keeper = history_of(store)
        if keeper is None:
            raise Unsupported("history", store.kind, "a writer that is a database (sqlite: or postgresql:) keeps it")
        return keeper

    def _view(self, registry: str | None) -> RegistryView:
        """A registry in the state that stands now."""
        catalogue = self._look()
        slug = (registry_slug(registry, "registry") if registry else default_registry(catalogue)) or "default"
        try:
            return catalogue.view(slug)
        except RegistryNotFound as error:
            where = "" if error.nearest else f"(create it first: livery registry create {slug})"
            raise RegistryNotFound(slug, nearest=error.nearest, where=where) from None

    def _look(self) -> Catalogue:
        """The state that stands now, to write from; a writer that the first write makes holds nothing yet."""
        self._present = self._chain.refresh(self._clock())
        writer = self._chain.writer
        if writer is not None and isinstance(writer.error, SourceNotFound) and not writer.ever_loaded:
            self._present = self._chain.trial()
        return self._present

    def _existing(self, view: RegistryView, slug: str) -> ProfileStack:
        """A profile that can be written: also one with faults, as long as its documents can be read."""
        stack = view.profiles.get(profile_slug(slug))
        return stack if stack is not None and stack.layers else view.stack(profile_slug(slug))

    def _writer(self) -> WritableProfileStore:
        """What writes go to: the store, the transaction that is open, or the store with a journal of its writes."""
        if self._batch is not None:
            return self._batch
        store = self._chain.writer_store()
        if self._journal is None or history_of(store) is not None or self._chain.writer is None:
            return store
        return journaled(self._chain.writer, self._journal) or store

    def _head(self, slug: str) -> Registry | None:
        """The registry-level fields as the writer holds them."""
        writer = self._chain.writer
        return registry_of(writer, slug) if writer else None

    def _stamped(self, options: WriteOptions, expected: int, floor: int = 0) -> WriteOptions:
        at_ms = options.at_ms or self._clock()
        return options._replace(expected_version=expected, floor=floor, at_ms=at_ms)

    def _noted(
        self,
        options: WriteOptions,
        before: Profile | Registry | None,
        after: Profile | Registry | None,
        schema: SettingsSchema,
    ) -> WriteOptions:
        """The options with what the audit says of a write, and with what it was checked against."""
        if self._journal is None and history_of(self._chain.writer_store()) is None:
            return options  # nobody keeps it
        return options._replace(diff=diff_text(before, after, schema), action=options.action)

    def _seen(self, options: WriteOptions, looked_at: Collection[Reference]) -> WriteOptions:
        """The options with the state that a write was checked in, and the profiles that the check has looked at."""
        writer = self._chain.writer
        if writer is None or history_of(writer.store) is None:
            return options
        seq = self._present.seqs.get(writer.label, 0)  # one that is not there yet has no log
        items = {*looked_at, *((reference.registry, "") for reference in looked_at)}
        return options._replace(seen=Seen(seq, frozenset(items), frozenset(looked_at)))

    def _profile_with(self, reference: Reference, saved: Profile | None) -> Profile:
        """The merged document of a profile of which the writer holds what was just saved."""
        if saved is not None and self._batch is None and self._chain.writer is not None:
            self._chain.writer.note_written(saved)
        catalogue = self._chain.trial(Instead(reference.registry, profiles={reference.profile: saved}))
        return copied_profile(catalogue.stack(reference).profile)

    def _registry_with(self, head: Registry) -> Registry:
        """A registry of which the writer holds the head that was just saved, and the profiles that it brought along."""
        catalogue = self._chain.trial(Instead(head.slug, head, head.profiles))
        return registry_document(catalogue.view(head.slug))

    def _labels(self) -> tuple[set[str], set[str]]:
        """The sources below and above the writer."""
        labels = [source.label for source in self._chain.sources]
        writer = self._chain.writer
        position = labels.index(writer.label) if writer else len(labels)
        return set(labels[:position]), set(labels[position + 1 :])

    def _belongs_to(self, source_label: str, path: Path, field: Field, what: str) -> SourceReadOnly:
        """The error of a write that a value in another source would overrule, with the line of that value."""
        source = self._chain.source_named(source_label)
        place: Place | None = self._chain.places(source, [field])[0] if source else None
        return SourceReadOnly(f"{'.'.join(path)} of {what}", source_label, place, "change it there")


def layer_of(stack: ProfileStack) -> ProfileLayer | None:
    """The writer's layer of a profile, if it has one."""
    return next((layer for layer in stack.layers if layer.writer), None)


def document_of(given: Any, field: str) -> dict[str, Any]:
    """A document as it was given, if it is one that JSON can hold; else a ValidationError."""
    if not isinstance(given, Mapping):
        raise ValidationError(field, f"expected a mapping, got {type_name(given)}")
    parts = {field: {key: value for key, value in given.items() if key != "profiles"}}
    profiles = given.get("profiles")
    for slug, profile in profiles.items() if isinstance(profiles, Mapping) else ():
        parts[f"{field}.profiles[{slug}]"] = profile  # the limit of size is for each
    faults = [fault for name, part in parts.items() for fault in json_faults(part, name)]
    if faults:
        raise ValidationError.of(faults)
    plain: dict[str, Any] = _plain(given)
    return plain


def _plain(value: Any) -> Any:
    """A copy in which every sequence is a list and every mapping a dict, as if it had been read from a file."""
    if isinstance(value, Mapping):
        return {key: _plain(child) for key, child in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def writable_metadata(document: Mapping[str, Any]) -> dict[str, Any]:
    """Of the metadata only the tags are a writer's to set; the store keeps the rest."""
    metadata = document.get("metadata")
    return {"tags": metadata["tags"]} if isinstance(metadata, Mapping) and "tags" in metadata else {}
