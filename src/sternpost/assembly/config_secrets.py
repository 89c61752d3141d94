"""Leaves the secrets out of the text of `sternpost.yaml`, so that it can be shown; comments stay."""

import re
from collections.abc import Iterator
from typing import Final

import yaml

HIDDEN: Final = "<hidden>"
_VARIABLE: Final = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_SECRET_NAME: Final = re.compile(r"(^|[_-])(key|secret|password|token|authorization)$", re.IGNORECASE)
_IN_COMMENT: Final = re.compile(
    r"(#.*?(?:key|secret|password|token|authorization)[\"']?\s*:\s*)(\S.*)$", re.M | re.I
)
_IN_ADDRESS: Final = re.compile(r"(://)[^/\s@\"']+@")
_SCHEMES: Final = frozenset({"", "bearer", "basic", "token", "key", "apikey"})


def hide_secrets(text: str, root: yaml.Node | None) -> str:
    """Replace keys, tokens and the values of headers; what is read from a variable stays as `${VARIABLE}`.

    root: the tree of this very text.
    """
    spans = sorted({(node.start_mark.index, node.end_mark.index) for node in _secrets(root, is_secret=False)})
    shown = text
    for start, end in reversed(spans):
        shown = (
            f'{shown[:start]}"{HIDDEN}"{chr(10) if text[start:end].endswith(chr(10)) else ""}{shown[end:]}'
        )
    for start, end in spans:
        shown = shown.replace(text[start:end].strip().strip("\"'"), HIDDEN)  # also where a comment repeats it
    return _IN_ADDRESS.sub(rf"\1{HIDDEN}@", _IN_COMMENT.sub(rf"\1{HIDDEN}", shown))


def _secrets(node: yaml.Node | None, *, is_secret: bool) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        if is_secret and not _is_from_variable(str(node.value)):
            yield node
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _secrets(item, is_secret=is_secret)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            inner = is_secret or name == "headers" or bool(_SECRET_NAME.search(name))
            yield from _secrets(value, is_secret=inner)


def _is_from_variable(value: str) -> bool:
    """Whether nothing stands beside the variables but a scheme such as `Bearer`, or there is no value."""
    return _VARIABLE.sub("", value).strip().lower() in _SCHEMES
