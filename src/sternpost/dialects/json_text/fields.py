"""Typed look at decoded JSON that knows the path of each value; knows no dialect."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.message import Json
from sternpost.dialects.json_text.raw_object import syntax_message

_NOTHING: tuple[Json, ...] = (None, False, "", [], {})


@dataclass(slots=True)  # not frozen: that makes it take twice as long to build, and there is one per object
class Fields:
    """One JSON object, never changed. Each reader raises BadRequest with the path when the type is wrong."""

    values: Mapping[str, Json]
    path: str = ""

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def refuse(self, name: str, wanted: str) -> BadRequest:
        path = self.at(name)
        return BadRequest(f"{path}: must be {wanted}.", param=path)

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self.refuse(name, "a string")

    def need_text(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise self.refuse(name, "a string")
        return value

    def flag(self, name: str) -> bool | None:
        value = self.values.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise self.refuse(name, "true or false")

    def integer(self, name: str) -> int | None:
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.refuse(name, "a whole number")
        return value

    def number(self, name: str) -> float | None:
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refuse(name, "a number")
        try:
            return float(value)
        except OverflowError as error:
            raise self.refuse(name, "a smaller number") from error

    def child(self, name: str) -> "Fields | None":
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, dict):
            return Fields(value, self.at(name))
        raise self.refuse(name, "an object")

    def need_child(self, name: str) -> "Fields":
        child = self.child(name)
        if child is None:
            raise self.refuse(name, "an object")
        return child

    def others(self, known: frozenset[str]) -> "Iterator[str]":
        """Yield the paths of fields that are not among the known ones, unless they say nothing."""
        for name, value in self.values.items():
            if name not in known and value not in _NOTHING:
                yield self.at(name)

    def text_map(self) -> dict[str, str]:
        """Read the texts of an object; values of other types are left out."""
        return {name: value for name, value in self.values.items() if isinstance(value, str)}

    def items(self, name: str) -> "Iterator[Fields]":
        """Yield the objects of an array; nothing when it is absent."""
        value = self.values.get(name)
        if value is None:
            return
        if not isinstance(value, list):
            raise self.refuse(name, "an array")
        path = self.at(name)
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                raise self.refuse(f"{name}.{index}", "an object")
            yield Fields(item, f"{path}.{index}")

    def texts(self, name: str) -> tuple[str, ...]:
        """Read an array of strings, or one string as an array of one."""
        value = self.values.get(name)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(str(item) for item in value)
        raise self.refuse(name, "a string or an array of strings")


def text_or_empty(value: Json) -> str:
    """Return a string, or nothing for a value of another type."""
    return value if isinstance(value, str) else ""


def read_object(body: bytes) -> Fields:
    """Parse a whole body. Raises: BadRequest."""
    try:
        values: Json = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise BadRequest(syntax_message(body, error)) from error
    except UnicodeDecodeError as error:
        raise BadRequest("The body is not valid UTF-8.") from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply.") from error
    if not isinstance(values, dict):
        raise BadRequest("The body must be a JSON object.")
    return Fields(values)
