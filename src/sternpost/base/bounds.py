"""What a value from outside may be, as a type's annotation; which settings there are is in `settings`.

`read` turns text into the value; its ValueError says what is allowed and never repeats what was given.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_PLAIN = re.compile(r"[\x21-\x7e]*")  # printable ASCII without spaces: what an address may be made of


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`. `at_zero`: what 0 means in addition, if anything."""

    least: int
    most: int
    at_zero: str = ""
    is_zero_when_empty: bool = False  # else an empty value is the default

    def read(self, text: str) -> int:
        if not text and self.is_zero_when_empty:
            return 0
        try:
            number = int(text)
        except ValueError:
            raise ValueError(self.allowed) from None
        if not (self.least <= number <= self.most or (self.at_zero and number == 0)):
            raise ValueError(self.allowed)
        return number

    @property
    def allowed(self) -> str:
        span = f"a whole number from {self.least} to {self.most}"
        if not self.at_zero:
            return span
        return f"{span}, or 0{' or empty' if self.is_zero_when_empty else ''} for {self.at_zero}"


@dataclass(frozen=True, slots=True)
class Seconds:
    """A finite number of seconds from `least` to `most`."""

    least: float
    most: float

    def read(self, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise ValueError(self.allowed) from None
        if not (math.isfinite(number) and self.least <= number <= self.most):
            raise ValueError(self.allowed)
        return number

    @property
    def allowed(self) -> str:
        return f"a number of seconds from {self.least:g} to {self.most:g}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, text: str) -> str:
        if text not in self.words:
            raise ValueError(self.allowed)
        return text

    @property
    def allowed(self) -> str:
        return f"{', '.join(self.words[:-1])} or {self.words[-1]}"


@dataclass(frozen=True, slots=True)
class Url:
    """An address that begins with one of `schemes`. `is_public`: shown to people, so without a password."""

    schemes: tuple[str, ...]
    example: str
    is_public: bool = False

    def read(self, text: str) -> str:
        scheme = text.partition("://")[0].lower()
        if "://" not in text or scheme not in self.schemes or not _PLAIN.fullmatch(text):
            raise ValueError(self.allowed)
        if self.is_public and not self._is_clean(text):
            raise ValueError(self.allowed)
        return text

    def _is_clean(self, text: str) -> bool:
        try:
            parts = urlsplit(text)
            has_port = parts.port != 0
        except ValueError:  # a port that is none, or half an IPv6 address
            return False
        return (
            bool(parts.hostname) and has_port and parts.username is None and not set("?#\"'<>\\") & set(text)
        )

    @property
    def allowed(self) -> str:
        starts = " or ".join(f"{scheme}://" for scheme in self.schemes)
        limits = ", without user, password, query or fragment" if self.is_public else ""
        return f"an address that begins with {starts}{limits}, such as {self.example}"


@dataclass(frozen=True, slots=True)
class Matching:
    """A text of one form. `allowed` describes it."""

    pattern: str
    allowed: str

    def read(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            raise ValueError(self.allowed)
        return text


@dataclass(frozen=True, slots=True)
class FilePath:
    """A place in the file system; `~` is the home directory."""

    allowed: str = "a path"

    def read(self, text: str) -> Path:
        if not text.strip() or "\0" in text:
            raise ValueError(self.allowed)
        try:
            return Path(text).expanduser()
        except RuntimeError:  # ~name of somebody who is not known here
            raise ValueError(self.allowed) from None


Bound = Whole | Seconds | OneOf | Url | Matching | FilePath
