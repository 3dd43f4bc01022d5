"""Random TOML texts in every way of writing, and random edits of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from livery.core.values import TypedText
from livery.errors import ValidationError
from livery.formats.edits import Change, Drop, Put
from livery.formats.toml import read_toml_document
from livery.formats.toml_edit import changed

NAMES = ("a", "b", "c", "d e", "f.g", "h")
_KEYS = ("a", "b", "c", '"d e"', "'f.g'", '"\\u0068"')
_SCALARS = (
    "1",
    "-0",
    "1.5",
    "true",
    '"x"',
    "'y\\z'",
    '"""\nm\n"""',
    '"""\n# m"""',
    "'''a'b'''",
    "1979-05-27",
    "07:32:00",
    "1979-05-27 07:32:00Z",
    "inf",
    "9007199254740993",
    '"#"',
    '"]"',
    '"},"',
)
_PLAIN: tuple[Any, ...] = (
    1,
    0,
    True,
    1.5,
    "x",
    "a\nb",
    "a\r\nb",
    'q"\\',
    '"""',
    "",
    "é\x00\x7f",
    TypedText("1979-05-27"),
)


def _elements(texts: list[str], gap: str, opening: str, closing: str) -> str:
    end = "\n" if "#" in gap else gap
    return opening + gap + ("," + (gap or " ")).join(texts) + end + closing


_gaps = st.sampled_from(("", "", " ", "\n  ", " # k\n  "))
_dotted = st.lists(st.sampled_from(_KEYS), min_size=1, max_size=3).map(".".join)


def _lists(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(_elements, st.lists(values, max_size=4), _gaps, st.just("["), st.just("]"))


def _tables(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.builds("{} = {}".format, _dotted, values), max_size=3)
    return st.builds(_elements, pairs, _gaps, st.just("{"), st.just("}"))


_scalars = st.sampled_from(_SCALARS)
_values = st.one_of(_scalars, st.recursive(_scalars, lambda inner: _lists(inner) | _tables(inner), max_leaves=6))
_statements = st.one_of(
    st.just(""),
    st.sampled_from(("# x", "  # y")),
    st.builds("[{}]{}".format, _dotted, st.sampled_from(("", " # c"))),
    st.builds("[[{}]]".format, _dotted),
    st.builds("{}{} = {}{}".format, st.sampled_from(("", "  ")), _dotted, _values, st.sampled_from(("", " # c"))),
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A sound document: of random lines those that go together."""
    newline = draw(st.sampled_from(("\n", "\n", "\r\n")))
    text = ""
    for line in draw(st.lists(_statements, max_size=10)):
        longer = f"{text}{line}{newline}"
        text = longer if _is_sound(longer) else text
    cut = text.rstrip("\r\n")
    return cut if draw(st.booleans()) and _is_sound(cut) else text


def _is_sound(text: str) -> bool:
    try:
        read_toml_document(text, "")
    except ValidationError:
        return False
    return True


values = st.recursive(
    st.sampled_from(_PLAIN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def edits(draw: st.DrawFn, document: dict[str, Any]) -> list[Change]:
    """Edits that can be made, one after another: of what is there, and of what is not."""
    made: list[Change] = []
    for _ in range(draw(st.integers(1, 3))):
        change = draw(_edit(document))
        try:
            document = changed(document, [change])
        except ValidationError:
            continue
        made.append(change)
    return made


@st.composite
def _edit(draw: st.DrawFn, document: dict[str, Any]) -> Change:
    known = list(paths(document))
    path = draw(st.sampled_from(known)) if known and draw(st.integers(0, 4)) else ()
    below = draw(st.lists(st.sampled_from(NAMES), min_size=not path, max_size=2))
    if path and draw(st.integers(0, 2)) == 0:
        return Drop(path)
    value = value_at(document, path)
    if isinstance(value, list) and draw(st.booleans()):
        return Put(
            path, draw(st.permutations([*value, *draw(st.lists(values, max_size=2))]))[: draw(st.integers(0, 5))]
        )
    return Put((*path, *below), draw(values))


def paths(document: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key of a document, tables before what is in them."""
    for key, value in document.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from paths(value, (*path, key))


def value_at(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        value = value[part]
    return value
