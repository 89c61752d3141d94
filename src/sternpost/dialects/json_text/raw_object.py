"""A JSON object kept as bytes per field, to change a few and leave the rest untouched; no dialect."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from sternpost.base.errors import BadRequest

# What decoding raises for bytes that are no JSON: a text that is not UTF-8 is found only where it is read.
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
MOST_MODEL_CHARACTERS: Final = (
    2000  # an ARN of AWS, the longest, has up to 2,048 bytes in theory, 300 in fact
)
_MOST_FIELDS: Final = 1000
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_VALUE: Final = msgspec.json.Decoder()
_KEY: Final = re.compile(rb'\s*("[^"\\]*(?:\\.[^"\\]*)*")\s*:\s*')
_ENOUGH: Final = 64  # bytes of a value's end, to be sure that it is that value
_BORDER: Final = re.compile(rb"\s*[,}]")  # behind a value
_EMPTY_ARRAY = re.compile(rb"\[\s*\]")


def split_object(body: bytes) -> dict[str, msgspec.Raw]:
    """Parse the top level only; values stay unread bytes of the body.

    Raises: BadRequest that names the byte where the JSON breaks, and quotes nothing.
    """
    try:
        if not body.isascii():
            body.decode()  # msgspec skips over strings without reading them; hosts drop such a connection
        fields = _OBJECT.decode(body)
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not valid UTF-8 (byte {error.start}).") from error
    except msgspec.ValidationError as error:
        raise BadRequest("The body must be a JSON object.") from error
    except msgspec.DecodeError as error:
        raise BadRequest(syntax_message(body, error)) from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply.") from error
    if len(fields) > _MOST_FIELDS:
        raise BadRequest(f"The body has more than {_MOST_FIELDS} fields of its own; no API has so many.")
    return fields


def syntax_message(body: bytes, error: msgspec.DecodeError) -> str:
    """Say where JSON breaks without quoting it."""
    if not body.strip():
        return "The body is empty; send a JSON object."
    reason = str(error).removeprefix("JSON is malformed: ")
    if "truncated" in reason:
        reason = f"it ends too early (byte {len(body)})"
    return f"The body is not valid JSON: {reason}."


def join_object(fields: Mapping[str, msgspec.Raw | bytes]) -> bytes:
    """Write the object back in its order, with each value's bytes as they are."""
    encode = msgspec.json.encode
    pieces: list[msgspec.Raw | bytes] = []
    for name, value in fields.items():
        pieces += (b"," if pieces else b"{", encode(name), b":", value)
    return b"".join([*pieces, b"}"]) if pieces else b"{}"


class _Place(NamedTuple):
    """Where a member of an object stands in its bytes."""

    key_start: int
    value_start: int
    value_end: int


def rewrite_object(
    body: bytes, before: Mapping[str, msgspec.Raw], after: Mapping[str, msgspec.Raw | bytes]
) -> bytes:
    """Write an object into the bytes it was read from: all but what changed stays, white space and keys too.

    before: what `split_object` read from the body. With an empty body the object is written anew, and so is
    one in which a key comes twice.
    """
    places = _places(body, before) if body and not _is_compact(body, before) else None
    if not places:
        return join_object(after)
    known = dict(zip(before, places, strict=True))
    following = dict(zip(before, places[1:], strict=False))
    usual = body[places[0].value_end : places[1].key_start] if len(places) > 1 else b","
    pieces: list[msgspec.Raw | bytes] = [body[: places[0].key_start]]
    separator = b""
    for name, value in after.items():
        place = known.get(name)
        if place is None:
            pieces += (separator, msgspec.json.encode(name), b":", value)
        elif value is before[name]:
            pieces += (separator, body[place.key_start : place.value_end])
        else:
            pieces += (separator, body[place.key_start : place.value_start], value)
        follower = following.get(name)
        separator = body[place.value_end : follower.key_start] if place and follower else usual
    return b"".join([*pieces, body[places[-1].value_end :]])


def _is_compact(body: bytes, fields: Mapping[str, msgspec.Raw]) -> bool:
    """Whether an object is written without white space, and its keys as we write them."""
    sizes = (len(msgspec.json.encode(name)) + memoryview(raw).nbytes + 2 for name, raw in fields.items())
    return len(body) == 1 + sum(sizes)


def _places(body: bytes, fields: Mapping[str, msgspec.Raw]) -> list[_Place] | None:
    """Find each member; None when there are more of them than fields, since then a key came twice."""
    places: list[_Place] = []
    position = body.find(b"{") + 1
    for name, raw in fields.items():
        key = _KEY.match(body, position)
        if key is None or msgspec.json.decode(key[1]) != name:
            return None
        value = memoryview(raw)
        place = _Place(key.start(1), key.end(), key.end() + value.nbytes)
        border = _BORDER.match(body, place.value_end)
        end = body[max(place.value_start, place.value_end - _ENOUGH) : place.value_end]
        if border is None or end != bytes(value[-_ENOUGH:]):
            return None
        places.append(place)
        position = border.end()
    return places if body[position - 1 : position] == b"}" else None


def is_null(raw: msgspec.Raw | bytes | None) -> bool:
    """Whether a field is absent or null."""
    return raw is None or (len(memoryview(raw)) == 4 and bytes(raw) == b"null")


def read_value(raw: msgspec.Raw | None) -> object:
    """Decode one value; None when absent."""
    if raw is None:
        return None
    try:
        return _VALUE.decode(raw)
    except msgspec.DecodeError as error:
        raise BadRequest("The body is not valid JSON: a value can't be read.") from error


def read_model(fields: Mapping[str, msgspec.Raw]) -> str:
    """Raises: BadRequest when `model` is not a non-empty string, or named in a second way.

    Hosts written in Go or .NET take `Model` for it, too, and the last one wins.
    """
    if any(name != "model" and name.lower() == "model" for name in fields):
        raise BadRequest("model: write its name in small letters, once.", param="model")
    model = read_value(fields.get("model"))
    if not isinstance(model, str) or not model:
        raise BadRequest("model: name the model or route as a non-empty string.", param="model")
    return check_length(model)


def check_length(model: str) -> str:
    """Return a model's name. Raises: BadRequest for one that is longer than any, which would take long."""
    if len(model) > MOST_MODEL_CHARACTERS:
        raise BadRequest(f"model: a name has at most {MOST_MODEL_CHARACTERS} characters.", param="model")
    return model


def check_messages(fields: Mapping[str, msgspec.Raw]) -> None:
    """Raises: BadRequest when `messages` is not a non-empty array; its items are not looked at."""
    raw = fields.get("messages")
    if raw is None or not bytes(memoryview(raw)[:1]) == b"[":
        raise BadRequest("messages: send an array of messages.", param="messages")
    if _EMPTY_ARRAY.match(raw):
        raise BadRequest("messages: send at least one message.", param="messages")


def read_flag(fields: Mapping[str, msgspec.Raw], name: str) -> bool:
    """Raises: BadRequest when the field is neither a boolean nor null."""
    raw = fields.get(name)
    if raw is None:
        return False
    value = read_value(raw)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise BadRequest(f"{name}: must be true or false.", param=name)


def read_text_map(raw: msgspec.Raw | None) -> dict[str, str]:
    """Read an object of scalars as texts; anything else in it is left out."""
    value = read_value(raw)
    if not isinstance(value, dict):
        return {}
    pairs: dict[str, object] = {str(key): item for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - JSON keys
    return {key: _scalar(item) for key, item in pairs.items() if isinstance(item, str | int | float)}


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
