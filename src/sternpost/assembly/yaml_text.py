"""Reads YAML that anybody may have written: bounded in size, depth and aliases."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import yaml

from sternpost.base.errors import ConfigurationError

_MAX_BYTES: Final = 1_000_000
_MAX_DEPTH: Final = 40  # far above what the grammar has places for
_MAX_VALUES: Final = 100_000  # with every alias written out
_MERGE: Final = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True)
class YamlText:
    """A file as it was read once: its tree, which knows the lines, its value, and its text."""

    root: yaml.Node | None
    value: object
    text: str
    content: bytes


def read_yaml(path: Path) -> YamlText:
    """Read a file whole. Raises: ConfigurationError naming file and line."""
    content = _content(path)
    text = _text(path, content)
    try:
        _check_size(path.name, text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_doubled_keys(path.name, root, ())
        return YamlText(root, cast("object", yaml.safe_load(text)), text, content)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigurationError(f"{path.name}:{line}: not valid YAML: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigurationError(
            f"{path.name}:{line}: not valid YAML: a control character; save it as plain UTF-8 text"
        ) from error
    except (ValueError, OverflowError) as error:  # of a date or a number that PyYAML takes for one
        raise ConfigurationError(
            f"{path.name}:{_line_of_bad_value(text)}: this is not a valid date or number; put it in"
            " quotes if it is meant as text"
        ) from error


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"can't read {str(path)!r}: {error.strerror}") from error
    if len(content) > _MAX_BYTES:
        raise ConfigurationError(f"{path.name}:1: the file is larger than {_MAX_BYTES // 1000} kB")
    return content


def _text(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            f"{path.name}:{line}: not UTF-8 text; save the file in that encoding"
        ) from error


def _check_size(file: str, text: str) -> None:
    """Count values as events, before a tree is built: aliases of aliases make billions of a few lines."""
    open_nodes: list[tuple[str | None, int]] = [(None, 0)]  # anchor, and values so far
    sizes: dict[str, int] = {}
    for event in _events(text):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, 1))
            if len(open_nodes) > _MAX_DEPTH:
                raise ConfigurationError(f"{file}:{line}: values are nested more than {_MAX_DEPTH} deep")
            continue
        anchor, size = None, 1
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_nodes.pop()
        elif isinstance(event, yaml.ScalarEvent):
            anchor = event.anchor
        elif isinstance(event, yaml.AliasEvent):
            size = sizes.get(event.anchor or "", 1)
        else:
            continue
        if anchor:
            sizes[anchor] = size
        outer, so_far = open_nodes[-1]
        open_nodes[-1] = (outer, so_far + size)
        if so_far + size > _MAX_VALUES:
            raise ConfigurationError(
                f"{file}:{line}: with its aliases (`*name`) written out the file has more than"
                f" {_MAX_VALUES:,} values"
            )


def _events(text: str) -> Iterator[yaml.Event]:
    return yaml.parse(text, Loader=yaml.SafeLoader)  # type: ignore[return-value]  # its stubs say Any


def _refuse_doubled_keys(file: str, node: yaml.Node | None, above: tuple[yaml.Node, ...]) -> None:
    """PyYAML lets the last of two equal keys win without a word (YAML 1.2, section 3.2.1.1 forbids them)."""
    if node is None:
        return
    if node in above:
        line = node.start_mark.line + 1
        raise ConfigurationError(
            f"{file}:{line}: an alias (`*name`) is inside what it refers to; write it out"
        )
    inner = (*above, node)
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_doubled_keys(file, item, inner)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigurationError(f"{file}:{line}: a name can't be a list or a mapping")
            name = str(key.value)
            if name in seen:
                raise ConfigurationError(f"{file}:{line}: {name!r} occurs twice here; keep one of them")
            seen.add(name)
            if key.tag == _MERGE:
                _refuse_bad_merge(file, line, value)
            _refuse_doubled_keys(file, value, inner)


def _refuse_bad_merge(file: str, line: int, value: yaml.Node) -> None:
    parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
    if not all(isinstance(part, yaml.MappingNode) for part in parts):
        raise ConfigurationError(f"{file}:{line}: `<<` merges only mappings, such as `<<: *name`")


def _line_of_bad_value(text: str) -> int:
    """Find the first scalar that can't be built."""
    loader = yaml.SafeLoader(text)
    try:
        for node in _scalars(loader.get_single_node()):
            try:
                loader.construct_object(node)  # pyright: ignore[reportUnknownMemberType]
            except (ValueError, OverflowError):
                return node.start_mark.line + 1
    finally:
        loader.dispose()
    return 1


def _scalars(root: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """Yield them in the order of the file; depth and aliases are bounded already."""
    if isinstance(root, yaml.ScalarNode):
        yield root
    elif isinstance(root, yaml.MappingNode):
        for pair in root.value:
            yield from _scalars(pair[0])
            yield from _scalars(pair[1])
    elif isinstance(root, yaml.SequenceNode):
        for item in root.value:
            yield from _scalars(item)
