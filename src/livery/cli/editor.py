"""A person's editor on a text: in a private temporary file, which stays when the text could not be used."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from livery.cli.output import note
from livery.errors import UsageError


class EditedFile:
    """A text in a temporary file (mode 0600) that a person edits, as often as need be."""

    def __init__(self, name: str, text: str) -> None:
        descriptor, path = tempfile.mkstemp(prefix=f"livery-{name}-", suffix=".yaml")
        self.path = Path(path)
        self.before = text
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)

    @property
    def text(self) -> str:
        """What the file holds now."""
        return self.path.read_text(encoding="utf-8", errors="replace")

    def edit(self, environ: Mapping[str, str]) -> str:
        """The text after the editor has ended; a UsageError where it cannot be started or fails."""
        command = editor_command(environ)
        try:
            done = subprocess.run([*command, str(self.path)], check=False)
        except OSError as error:
            raise UsageError(f"the editor {command[0]!r} cannot be started: {error.strerror}; set EDITOR") from None
        if done.returncode:
            raise UsageError(f"the editor {command[0]!r} failed (exit code {done.returncode}); nothing was written")
        return self.text


@contextmanager
def edited_file(name: str, text: str) -> Iterator[EditedFile]:
    """A text to edit. It is removed at the end; after an error it stays if it was changed, and is named."""
    file = EditedFile(name, text)
    try:
        yield file
    except BaseException:
        if file.path.exists() and file.text != file.before:
            note(f"your text is kept in {file.path}")
        else:
            file.path.unlink(missing_ok=True)
        raise
    file.path.unlink(missing_ok=True)


def editor_command(environ: Mapping[str, str]) -> list[str]:
    """``$VISUAL``, else ``$EDITOR``, with their arguments; else ``vi``."""
    for name in ("VISUAL", "EDITOR"):
        command = shlex.split(environ.get(name, ""))
        if command:
            return command
    return ["notepad"] if os.name == "nt" else ["vi"]
