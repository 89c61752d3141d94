"""Finds and reads `sternpost.yaml`; an error names the line and the nearest known word."""

import difflib
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast, get_args, get_type_hints

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sternpost.assembly.config_grammar import GRAMMAR, ConfigFile
from sternpost.assembly.trust import refuse_foreign
from sternpost.assembly.yaml_text import read_yaml
from sternpost.base.errors import ConfigurationError
from sternpost.base.settings import Settings

NAME = "sternpost.yaml"
_UNKNOWN_FIELD = ("extra_forbidden", "unexpected_keyword_argument")  # of a model, of a dataclass
_DIGEST_CHARACTERS = 12  # of the hash, as people see it
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

_Grammar: TypeAlias = type[object]  # of one mapping: a model or a dataclass
Place: TypeAlias = tuple[int | str, ...]  # of a value in the file, e.g. ("routes", "fast", "targets", 0)


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    config: ConfigFile
    path: Path | None  # None: no file was found, which is fine
    unset_variables: tuple[str, ...] = ()
    key_variables: Mapping[str, str] = field(default_factory=dict[str, str])  # of each provider
    root: yaml.Node | None = field(default=None, repr=False)  # the tree of the file, which knows the lines
    text: str = field(default="", repr=False)
    digest: str = ""  # of the file's bytes; "" without a file
    document: Mapping[str, object] = field(
        default_factory=dict[str, object], repr=False
    )  # variables filled in

    def line_of(self, place: Place) -> int:
        return _line_of(self.root, place)

    def written(self, part: str) -> set[str]:
        """Return the names under a top word of the file, e.g. `routes`; also of parts that don't fit."""
        inner = _value_of(self.root, part)
        pairs: list[tuple[yaml.Node, yaml.Node]] = inner.value if isinstance(inner, yaml.MappingNode) else []
        return {str(key.value) for key, _ in pairs}


@dataclass(frozen=True, slots=True)
class Misfit:
    """A value of the file that the grammar does not allow."""

    place: Place
    line: int
    sentence: str  # with file and line


def find_config(settings: Settings) -> Path | None:
    """Look at --config, then the working folder, then the data folder.

    A file of the working folder must be the user's own: it decides where keys of the environment are sent.
    Raises: ConfigurationError when the named file is missing, or the one that was found is somebody else's.
    """
    if settings.config is not None:
        if not settings.config.is_file():
            raise ConfigurationError(f"no configuration file at {str(settings.config)!r}; check --config")
        return settings.config
    here, own = Path.cwd() / NAME, settings.home / NAME
    if here.is_file() and not (own.is_file() and here.samefile(own)):
        refuse_foreign(here, f"if it is yours, set --config {here}, or STERNPOST_CONFIG")
        return here
    return own if own.is_file() else None


def digest_of(content: bytes) -> str:
    """Return the beginning of the SHA-256 of a file, as people see it."""
    return hashlib.sha256(content).hexdigest()[:_DIGEST_CHARACTERS]


def load_config(path: Path | None, environment: Mapping[str, str]) -> LoadedConfig:
    """Read and check a file. Raises: ConfigurationError, one line per fault with its place."""
    loaded, misfits = read_config(path, environment)
    if misfits:
        raise ConfigurationError("\n".join(one.sentence for one in misfits))
    return loaded


def read_config(path: Path | None, environment: Mapping[str, str]) -> tuple[LoadedConfig, Sequence[Misfit]]:
    """Read a file and what of it the grammar does not allow; the parts that do not fit are left out.

    Raises: ConfigurationError for a file that is no YAML mapping.
    """
    if path is None:
        return LoadedConfig(ConfigFile(), None), ()
    read = read_yaml(path)
    root, document = read.root, read.value
    digest = digest_of(read.content)
    if document is None:
        return LoadedConfig(ConfigFile(), path, text=read.text, digest=digest), ()
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path.name}:1: the file must be a mapping such as `providers:` ...")
    unset: set[str] = set()
    expanded = cast("dict[str, Any]", _expand(cast("object", document), environment, unset))
    config, faults = _fitting(expanded)
    misfits = [
        Misfit(
            one["loc"],
            _line_of(root, one["loc"]),
            _sentence(path.name, root, one),
        )
        for one in faults
    ]
    providers = cast("dict[object, object]", document).get("providers") if not misfits else None
    variables = _key_variables(providers, environment)
    loaded = LoadedConfig(config, path, tuple(sorted(unset)), variables, root, read.text, digest, expanded)
    return loaded, misfits


def _fitting(document: dict[str, Any]) -> tuple[ConfigFile, Sequence[ErrorDetails]]:
    """Return the parts of a file that fit the grammar, and what does not; a part is e.g. one provider."""
    try:
        return GRAMMAR.model_validate(document), ()
    except ValidationError as error:
        faults = error.errors()
    sound = dict(document)
    for fault in faults:
        place = fault["loc"]
        part = sound.get(str(place[0])) if place else None
        if len(place) > 1 and isinstance(part, dict):
            sound[str(place[0])] = {
                name: held for name, held in cast("dict[object, object]", part).items() if name != place[1]
            }
        elif place:  # a list keeps its order, by which its entries are named, or goes as a whole
            sound.pop(str(place[0]), None)
    try:
        return GRAMMAR.model_validate(sound), faults
    except ValidationError:
        return ConfigFile(), faults


def _expand(value: object, environment: Mapping[str, str], unset: set[str]) -> object:
    """Replace `${NAME}`; a value that is one unset variable becomes None."""
    if isinstance(value, dict):
        entries = cast("dict[object, object]", value)
        return {key: _expand(inner, environment, unset) for key, inner in entries.items()}
    if isinstance(value, list):
        return [_expand(inner, environment, unset) for inner in cast("list[object]", value)]
    if not isinstance(value, str):
        return value
    missing = [name for name in _VARIABLE.findall(value) if not environment.get(name)]
    if missing:
        unset.update(missing)
        return None
    return _VARIABLE.sub(lambda match: environment[match.group(1)], value)


def _key_variables(providers: object, environment: Mapping[str, str]) -> dict[str, str]:
    """Return provider -> the variable it waits for, else the one that its key is read from."""
    found: dict[str, str] = {}
    for name, entry in cast("dict[object, object]", providers or {}).items():
        written = cast("dict[object, object]", entry or {})
        named = _VARIABLE.findall(f"{written.get('api_key')} {written.get('base_url')}")
        unset = [one for one in named if not environment.get(one)]
        own = _VARIABLE.findall(str(written.get("api_key")))
        if unset or own:
            found[str(name)] = (unset or own)[0]
    return found


def _sentence(file: str, root: yaml.Node | None, fault: ErrorDetails) -> str:
    place = fault["loc"]
    path = ".".join(str(step) for step in place)
    line = _line_of(root, place)
    if fault["type"] in _UNKNOWN_FIELD:
        known = known_fields(place[:-1])
        near = difflib.get_close_matches(str(place[-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return f"{file}:{line}: unknown field {path!r}; {hint}"
    message = fault["msg"]
    if fault["type"] == "dataclass_type":  # pydantic says it otherwise of models
        message = f"Input should be a valid dictionary or instance of {fault.get('ctx', {})['class_name']}"
    return f"{file}:{line}: {path}: {message[0].lower()}{message[1:]}"


def _line_of(node: yaml.Node | None, place: tuple[int | str, ...]) -> int:
    line = 1
    for step in place:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(step)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            inner: yaml.Node = node.value[step]
            line, node = inner.start_mark.line + 1, inner
    return line


def _value_of(node: yaml.Node | None, name: str) -> yaml.Node | None:
    pairs: list[tuple[yaml.Node, yaml.Node]] = node.value if isinstance(node, yaml.MappingNode) else []
    return next((held for key, held in pairs if key.value == name), None)


def known_fields(place: tuple[int | str, ...]) -> list[str]:
    """Return the field names that are allowed at a place of the file, e.g. ("routes", "fast")."""
    grammar: _Grammar = GRAMMAR
    for step in place:
        known = _fields(grammar)
        if str(step) not in known:
            continue
        inner = _inner_grammar(known[str(step)])
        if inner is None:
            return []
        grammar = inner
    return list(_fields(grammar))


def _fields(grammar: "_Grammar") -> dict[str, object]:
    """Return the words that a mapping of the file may hold, each with its type."""
    if issubclass(grammar, BaseModel):
        return {field.alias or name: field.annotation for name, field in grammar.model_fields.items()}
    types = get_type_hints(grammar)
    own = fields(cast("Any", grammar))
    return {str(one.metadata.get("alias", one.name)): types[one.name] for one in own}


def _inner_grammar(annotation: object) -> "_Grammar | None":
    if isinstance(annotation, type):
        kind = cast("_Grammar", annotation)
        if issubclass(kind, BaseModel) or is_dataclass(kind):
            return kind
    return next((found for found in map(_inner_grammar, get_args(annotation)) if found is not None), None)
