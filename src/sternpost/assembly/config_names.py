"""Finds what `sternpost.yaml` names and does not exist: providers, models, routes, keys; all at once."""

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from sternpost.assembly.config_file import LoadedConfig, Place
from sternpost.assembly.config_grammar import ConfigFile
from sternpost.assembly.traffic import load_catalog, load_environments, load_off_peak, load_prices
from sternpost.base.errors import ConfigurationError
from sternpost.capabilities.cost.config import SECTION as PRICES
from sternpost.contracts.provider import Catalog

# `stop`: Sternpost does not start with it; `fault`: it starts, but the name is most likely a slip;
# `note`: it may be meant.
Weight: TypeAlias = Literal["stop", "fault", "note"]
_VERSION = re.compile(r"[\d.]+")
_NEAR = 0.6


@dataclass(frozen=True, slots=True)
class Finding:
    place: Place
    weight: Weight
    sentence: str


@dataclass(frozen=True, slots=True)
class _Names:
    """What may be named. meant: models that no catalogue lists, and that the file names in two places."""

    providers: Collection[str]
    models: Collection[str]
    routes: Collection[str]
    meant: Collection[str]
    keys: Collection[str] | None  # names and ids; None: nobody can say


def find_names(
    loaded: LoadedConfig, environment: Mapping[str, str], keys: Collection[str] | None = None
) -> list[Finding]:
    """Check every name of a file that fits the grammar. keys: names and ids of the API keys there are."""
    catalog, found = _catalog(loaded, environment)
    config = loaded.config
    names = _Names(
        {*catalog.providers, *loaded.written("providers")},
        {*catalog.models, *_deployments(config)},
        loaded.written("routes"),
        _named_twice(config),
        keys,
    )
    found += [*_of_routes(config, names), *_idle_routes(config, catalog), *_of_limits(config, names)]
    prices = list(_of_prices(config, names))
    if not any(one.weight == "stop" for one in prices):
        prices += _refused(("prices",), lambda: load_prices(config, catalog))
    found += _refused(("environments",), lambda: load_environments(config))
    return [*found, *prices, *_refused(("batches", "off_peak"), lambda: load_off_peak(config))]


def _catalog(loaded: LoadedConfig, environment: Mapping[str, str]) -> tuple[Catalog, list[Finding]]:
    """Return the providers, and a finding for each entry that can't be meant: the others stay."""
    found: list[Finding] = []
    sound = dict(loaded.config.providers)
    for name, entry in loaded.config.providers.items():
        alone = loaded.config.model_copy(update={"providers": {name: entry}})
        try:
            load_catalog(replace(loaded, config=alone), environment)
        except ConfigurationError as error:
            del sound[name]
            found.append(_of_provider(name, error.message))
    config = loaded.config.model_copy(update={"providers": sound})
    return load_catalog(replace(loaded, config=config), environment), found


def _of_provider(name: str, message: str) -> Finding:
    """Take the place off the front of a message such as `providers.lab.region: it has no such option`."""
    start = f"providers.{name}"
    said, separator, sentence = message.partition(": ")
    if not separator or not said.startswith(start):
        return Finding(("providers", name), "stop", message)
    inner = said.removeprefix(start).strip(".")
    return Finding(("providers", name, *([inner] if inner else [])), "stop", sentence)


def _of_routes(config: ConfigFile, names: _Names) -> Iterator[Finding]:
    for route, entry in config.routes.items():
        for number, target in enumerate(entry.targets):
            place = ("routes", route, "targets", number, "model")
            provider, separator, model = target.model.partition("/")
            if target.model in names.routes and not separator:
                what = "this route itself" if target.model == route else "another route"
                said = f"{target.model!r} is {what}; a target must be provider/model"
                yield Finding(place, "stop", said)
            elif not separator or not model:
                near = _owned(target.model, names.models)
                said = f"{target.model!r} must be provider/model{_did_you_mean(near, '')}"
                yield Finding(place, "stop", said)
            elif provider not in names.providers:
                near = _near(provider, names.providers)
                hint = _did_you_mean(near, "; name it under `providers:`")
                yield Finding(place, "stop", f"no provider {provider!r}{hint}")
            else:
                yield from _of_model(place, target.model, names)


def _idle_routes(config: ConfigFile, catalog: Catalog) -> Iterator[Finding]:
    for route, entry in config.routes.items():
        used = [catalog.providers.get(target.model.partition("/")[0]) for target in entry.targets]
        missing = [one for one in used if one is not None and one.is_known_only]
        if len(missing) == len(used):
            variables = sorted({one.key_variable for one in missing if one.key_variable})
            hint = f"; set {' or '.join(variables)}" if variables else ""
            yield Finding(("routes", route), "note", f"no provider of this route is configured{hint}")


def _of_prices(config: ConfigFile, names: _Names) -> Iterator[Finding]:
    for number, entry in enumerate(config.section(PRICES)):
        place = ("prices", number, "model")
        provider, separator, model = entry.model.partition("/")
        if not (provider and separator and model):
            near = _owned(entry.model, names.models)
            yield Finding(place, "stop", f"{entry.model!r} must be provider/model{_did_you_mean(near, '')}")
        elif provider.lower() not in names.providers:
            near = _near(provider.lower(), names.providers)
            said = (
                f"no provider {provider!r}{_did_you_mean(near, '; the price applies to traces that name it')}"
            )
            yield Finding(place, "fault" if near else "note", said)
        else:
            yield from _of_model(place, entry.model, names)


def _of_limits(config: ConfigFile, names: _Names) -> Iterator[Finding]:
    for number, entry in enumerate(config.limits):
        place, name = ("limits", number, "name"), entry.name
        if not name:
            continue
        if entry.scope == "route" and name not in names.routes:
            yield Finding(place, "fault", f"no route {name!r}{_did_you_mean(_near(name, names.routes), '')}")
        elif entry.scope == "key" and names.keys is not None and name not in names.keys:
            hint = _did_you_mean(_near(name, names.keys), "; list them with: sternpost key list")
            yield Finding(place, "fault", f"no key {name!r}{hint}")
        elif entry.scope == "model" and "/" in name and name.partition("/")[0] not in names.providers:
            near = _near(name, names.models)
            said = f"no provider {name.partition('/')[0]!r}{_did_you_mean(near, '')}"
            yield Finding(place, "fault", said)
        elif entry.scope == "model" and name in names.routes:
            said = f"{name!r} is a route, and this limit counts models; write `scope: route`"
            yield Finding(place, "fault", said)
        elif entry.scope == "model" and not any(one.endswith(f"/{name}") for one in names.meant):
            yield from _of_model(place, name, names)


def _of_model(place: Place, name: str, names: _Names) -> Iterator[Finding]:
    """A model that no catalogue lists may be new; one that differs from a listed one by a letter is not."""
    bare = name.partition("/")[2] or name
    of_provider = [
        one for one in names.models if "/" not in name or one.partition("/")[0] == name.partition("/")[0]
    ]
    if name in names.models or name in names.meant or (not of_provider):
        return
    if "/" not in name and any(one.partition("/")[2] == name for one in of_provider):
        return
    near = (
        _near(name, of_provider)
        if "/" in name
        else _near(bare, {one.partition("/")[2] for one in of_provider})
    )
    is_version = bool(near) and _VERSION.sub("", near) == _VERSION.sub("", name)
    hint = _did_you_mean(near, "; it is passed on unchanged")
    yield Finding(
        place, "fault" if near and not is_version else "note", f"the catalogue lists no model {name!r}{hint}"
    )


def _deployments(config: ConfigFile) -> set[str]:
    return {
        f"{provider}/{name}" for provider, entry in config.providers.items() for name in entry.deployments
    }


def _named_twice(config: ConfigFile) -> set[str]:
    """Return models that are routed to and priced: a name in two places is not a typo."""
    routed = {target.model for entry in config.routes.values() for target in entry.targets}
    return routed & {entry.model for entry in config.section(PRICES)}


def _owned(model: str, models: Collection[str]) -> str:
    """Return the model of a bare name, else one with a name like it."""
    whole = next((one for one in sorted(models) if one.partition("/")[2] == model), "")
    return whole or _near(model, models)


def _near(name: str, known: Collection[str]) -> str:
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=_NEAR)), "")


def _did_you_mean(near: str, otherwise: str) -> str:
    return f"; did you mean {near!r}?" if near else otherwise


def _refused(place: Place, read: Callable[[], object]) -> Sequence[Finding]:
    try:
        read()
    except ConfigurationError as error:
        return [Finding(place, "stop", error.message.removeprefix(f"{place[0]}: "))]
    return []
