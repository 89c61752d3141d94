"""The model that a body names, JSON or form, and the same body with another name; reads nothing else.

Whoever reads the body behind us must find the same model, or a key held to some models could reach others:
what two readers could read in two ways is refused, and the content type is written anew.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, cast

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.dialects.json_text.raw_object import (
    MOST_MODEL_CHARACTERS,
    check_length,
    read_model,
    rewrite_object,
    split_object,
)
from sternpost.gateway.stages.named_models import names_models

_FORM: Final = "multipart/form-data"
_BOUNDARY: Final = re.compile(r'boundary=(?:"([^"]+)"|([^\s;"]+))', re.IGNORECASE)
_BOUNDARY_CHARACTERS: Final = re.compile(r"[\w'()+,./:=?\- ]*[\w'()+,./:=?\-]", re.ASCII)  # RFC 2046, 5.1.1
_TOKEN: Final = re.compile(r"[\w'+.\-]+", re.ASCII)
_DISPOSITION: Final = re.compile(rb"content-disposition:[ \t]*form-data(.*)", re.IGNORECASE)
_PARAMETER: Final = re.compile(rb';[ \t]*([\w-]+\*?)=(?:"([^"]*)"|([^\s;"]+))[ \t]*', re.ASCII)
_MAX_HEAD_BYTES: Final = 4096  # of one part
_MAX_PARTS: Final = 1000
_MAX_MODEL_BYTES: Final = 4 * MOST_MODEL_CHARACTERS + 1


@dataclass(frozen=True, slots=True)
class NamedBody:
    """A body and where its model stands."""

    model: str
    body: bytes
    content_type: str
    start: int = -1  # in a form; -1: the body is JSON
    end: int = -1
    # Of JSON all fields; of a form those whose names speak of models, but for the model itself.
    fields: Mapping[str, msgspec.Raw | bytes] = field(default_factory=dict[str, msgspec.Raw | bytes])

    def renamed(self, model: str) -> bytes:
        """Return the body with another model; all else keeps its bytes."""
        if self.start >= 0:
            return self.body[: self.start] + model.encode() + self.body[self.end :]
        fields = cast("Mapping[str, msgspec.Raw]", self.fields)
        return rewrite_object(self.body, fields, {**fields, "model": msgspec.json.encode(model)})


def read_named(body: bytes, content_type: str) -> NamedBody:
    """Find the model. Raises: BadRequest with `param` when there is none, or the body can't be read."""
    if not content_type.strip().lower().startswith(_FORM):
        fields = split_object(body)
        return NamedBody(read_model(fields), body, "application/json", fields=fields)
    boundary = _boundary_of(content_type)
    places = list(_fields_of(body, b"--" + boundary.encode()))
    start, end = _place_of_model(places)
    model = check_length(body[start : min(end, start + _MAX_MODEL_BYTES)].decode("utf-8", "replace"))
    if not model:
        raise BadRequest("model: must not be empty.", param="model")
    written = boundary if _TOKEN.fullmatch(boundary) else f'"{boundary}"'
    others = _other_models(body, places)
    return NamedBody(model, body, f"{_FORM}; boundary={written}", start, end, others)


def _other_models(
    body: bytes, places: Iterable[tuple[bytes, tuple[int, int]]]
) -> dict[str, msgspec.Raw | bytes]:
    found: dict[str, list[str]] = {}
    for name, (start, end) in places:
        said = name.decode("utf-8", "replace")
        if name.lower() != b"model" and names_models(said.partition("[")[0]):
            found.setdefault(said, []).append(body[start:end].decode("utf-8", "replace"))
    return {name: msgspec.json.encode(values) for name, values in found.items()}


def _boundary_of(content_type: str) -> str:
    found = _BOUNDARY.search(content_type)
    boundary = (found[1] or found[2]) if found else ""
    if not _BOUNDARY_CHARACTERS.fullmatch(boundary):
        raise _unreadable("its content type names no boundary")
    return boundary


def _place_of_model(fields: Iterable[tuple[bytes, tuple[int, int]]]) -> tuple[int, int]:
    """Return from where to where the value of the one field `model` goes (RFC 7578)."""
    places = [place for name, place in fields if name.lower() == b"model"]
    if not places:
        raise BadRequest("model: name the model in a field of the form.", param="model")
    if len(places) > 1:
        raise BadRequest("model: name one model; the form has several.", param="model")
    return places[0]


def _fields_of(body: bytes, mark: bytes) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Yield each field's name and where its value stands. Raises: BadRequest."""
    marks = _marks_in(body, mark)
    for at, following in pairwise(marks):
        head_start, value_end = at + len(mark), following - 2
        head_end = body.find(b"\r\n\r\n", head_start, min(value_end, head_start + _MAX_HEAD_BYTES))
        if head_end < 0:
            raise _unreadable("a part has no headers, or they are too long")
        yield _name_in(body[head_start + 2 : head_end]), (head_end + 4, value_end)


def _marks_in(body: bytes, mark: bytes) -> list[int]:
    """Return where the marks between the parts stand; the last one ends the form."""
    marks: list[int] = []
    at = body.find(mark)
    while at >= 0:
        behind = body[at + len(mark) : at + len(mark) + 2]
        if (at and body[at - 2 : at] != b"\r\n") or behind not in (b"\r\n", b"--"):
            raise _unreadable("a boundary is not on a line of its own, which ends with CR and LF")
        marks.append(at)
        if len(marks) > _MAX_PARTS:
            raise _unreadable(f"it has more than {_MAX_PARTS} parts")
        at = body.find(mark, at + len(mark))
    is_ended = [body.startswith(b"--", at + len(mark)) for at in marks]
    if is_ended.count(True) != 1 or not is_ended[-1]:
        raise _unreadable("it does not end with its boundary and two dashes")
    return marks


def _name_in(head: bytes) -> bytes:
    """Return the name that a part's head gives it. Raises: BadRequest for heads that readers differ on."""
    lines = head.split(b"\r\n")
    said = [line for line in lines if b"content-disposition" in line.lower()]
    found = _DISPOSITION.fullmatch(said[0]) if len(said) == 1 else None
    is_folded = any(line[:1] in (b" ", b"\t") or b"\r" in line or b"\n" in line for line in lines)
    if found is None or is_folded or b'\\"' in found[1] or _PARAMETER.sub(b"", found[1]):
        raise _unreadable("a part has no valid content-disposition")
    names = [(key, quoted or bare) for key, quoted, bare in _PARAMETER.findall(found[1]) if _is_name(key)]
    if len(names) != 1 or names[0][0].endswith(b"*") or b"\\" in names[0][1]:
        raise _unreadable("a part has no valid name")
    return names[0][1]


def _is_name(key: bytes) -> bool:
    return key.lower() in (b"name", b"name*")


def _unreadable(reason: str) -> BadRequest:
    return BadRequest(f"The form can't be read: {reason}.")
