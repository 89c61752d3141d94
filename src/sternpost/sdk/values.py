"""Turns whatever an application passes around into bounded JSON text; never raises."""

import dataclasses
import json
import logging
from collections.abc import Set

_LOGGER = logging.getLogger(__name__)
MAX_CHARACTERS = 1_000_000
_MAX_REPR = 1_000


def json_text(value: object) -> str:
    """Write a value as JSON; what JSON can't hold becomes its `repr`.

    Longer than a million characters: a JSON string with the beginning and a mark of the cut.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, default=_plain, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        text = json.dumps(_repr(value), ensure_ascii=False)
    except Exception:  # an object of the application's raised while it was read: the call must go on
        _LOGGER.debug("a value of type %s can't be written as JSON", type(value).__name__, exc_info=True)
        text = json.dumps(_repr(value), ensure_ascii=False)
    if len(text) > MAX_CHARACTERS:
        cut = f"{text[:MAX_CHARACTERS]} ... [cut: {len(text)} characters]"
        return json.dumps(cut, ensure_ascii=False)
    return text


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, bytes | bytearray):
        return f"<{len(value)} bytes>"
    if isinstance(value, Set):
        return [*value]  # pyright: ignore[reportUnknownVariableType]  # json checks each element again
    dump = getattr(value, "model_dump", None)  # pydantic and the OpenAI and Anthropic SDKs
    if callable(dump) and not isinstance(value, type):
        return dump(mode="json")
    return _repr(value)


def _repr(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # the same edge as above
        _LOGGER.debug("a value of type %s has no repr", type(value).__name__, exc_info=True)
        return f"<{type(value).__name__}>"
    return text if len(text) <= _MAX_REPR else text[:_MAX_REPR] + " ..."
