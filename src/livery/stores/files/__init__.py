"""The only package that writes files of users: whole or not at all, one writer at a time, nothing left behind.

A write goes to a temporary file in the same directory, is flushed, read again, and renamed over the old file. A lock
file beside the target, ``.<name>.lock``, keeps writers apart; the kernel frees it when its holder dies. Readers need no
lock. A store of several files holds one lock (:func:`locked`) around all its writes.
"""

from livery.stores.files.directories import make_directory, replace_directory
from livery.stores.files.locks import locked
from livery.stores.files.paths import real_path
from livery.stores.files.reading import MAX_BYTES, digest, read_file
from livery.stores.files.writing import (
    Check,
    Update,
    atomic_write,
    remove_file,
    replace_file,
    set_aside,
    update_file,
    write_unchanged,
)

__all__ = [
    "MAX_BYTES",
    "Check",
    "Update",
    "atomic_write",
    "digest",
    "locked",
    "make_directory",
    "read_file",
    "real_path",
    "remove_file",
    "replace_directory",
    "replace_file",
    "set_aside",
    "update_file",
    "write_unchanged",
]
