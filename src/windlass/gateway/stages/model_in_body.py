"""The model that a body names, JSON or form, and the same body with another name; reads nothing else."""

import re
from dataclasses import dataclass

import msgspec

from windlass.base.errors import BadRequest
from windlass.dialects.raw_object import read_model, rewrite_object, split_object

_BOUNDARY = re.compile(
    r'multipart/form-data\b.*?;\s*boundary=(?:"([^"]+)"|([^\s;"]+))', re.IGNORECASE | re.DOTALL
)
_MODEL_FIELD = re.compile(
    rb'^content-disposition:[^\r\n]*;\s*name="?model"?\s*(?:;|\r|$)', re.IGNORECASE | re.M
)
_MAX_HEAD_BYTES = 4096  # of one part


@dataclass(frozen=True, slots=True)
class NamedBody:
    """A body and where its model stands."""

    model: str
    body: bytes
    start: int = -1  # in a form; -1: the body is JSON
    end: int = -1

    def renamed(self, model: str) -> bytes:
        """Return the body with another model; all else keeps its bytes."""
        if model == self.model:
            return self.body
        if self.start >= 0:
            return self.body[: self.start] + model.encode() + self.body[self.end :]
        fields = split_object(self.body)
        return rewrite_object(self.body, fields, {**fields, "model": msgspec.json.encode(model)})


def read_named(body: bytes, content_type: str) -> NamedBody:
    """Find the model. Raises: BadRequest with `param` when there is none, or the body can't be read."""
    found = _BOUNDARY.match(content_type)
    if found is None:
        return NamedBody(read_model(split_object(body)), body)
    place = _place_in_form(body, (found[1] or found[2]).encode("latin-1"))
    if place is None:
        raise BadRequest("model: name the model in a field of the form.", param="model")
    start, end = place
    model = body[start:end].decode("utf-8", "replace")
    if not model:
        raise BadRequest("model: must not be empty.", param="model")
    return NamedBody(model, body, start, end)


def _place_in_form(body: bytes, boundary: bytes) -> tuple[int, int] | None:
    """Return from where to where the value of the field `model` goes (RFC 7578)."""
    mark = b"--" + boundary
    at = body.find(mark)
    while at >= 0:
        head_start = at + len(mark)
        following = body.find(b"\r\n" + mark, head_start)
        if following < 0:
            return None  # the last mark, or a form that breaks off
        head_end = body.find(b"\r\n\r\n", head_start, min(following, head_start + _MAX_HEAD_BYTES))
        if head_end >= 0 and _MODEL_FIELD.search(body, head_start + 2, head_end):
            return head_end + 4, following
        at = following + 2
    return None
