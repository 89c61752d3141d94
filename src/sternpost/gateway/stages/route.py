"""Resolves a model name to targets; not whether they answer."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote

from sternpost.base.errors import ModelUnknown, NotFound, PermissionRefused, ProviderNotConfigured
from sternpost.contracts.call import Dialect, Principal, Route, Target, TimeLimits
from sternpost.contracts.provider import AuthStyle, Catalog, ModelFacts, Provider
from sternpost.dialects.protocols import UpstreamCodec
from sternpost.dialects.registry import DIALECTS, UPSTREAM_CODECS
from sternpost.gateway.state.traffic import Plan, PlannedTarget, Traffic

_DEFAULT_LIMITS = TimeLimits()
_DEFAULT_HOLD_MS = 1500
_MAX_PLANS = 4096
# Of a model that takes tools in Responses, and answers 400 to them in chat unless it is told not to reason.
_CHAT_TOOLS: Final = "chat_tools"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_KEY_HEADER: Final[Mapping[AuthStyle, tuple[str, str]]] = {
    "bearer": ("authorization", "Bearer "),
    "x-api-key": ("x-api-key", ""),
    "api-key": ("api-key", ""),
    "x-goog-api-key": ("x-goog-api-key", ""),
}


def choose(asked: str, principal: Principal, traffic: Traffic, *, spoken: Dialect | None = None) -> Plan:
    """Resolve `provider/model`, a route's name, or a bare model name that one provider owns.

    spoken: the caller's dialect, which a target is asked in too where its provider knows it.
    Raises: PermissionRefused, ModelUnknown, ProviderNotConfigured.
    """
    plan = _resolve(asked, traffic, spoken)
    _check_allowed(plan, asked, principal)
    return plan


def plan_for(asked: str, principal: Principal, traffic: Traffic, *, spoken: Dialect | None = None) -> Plan:
    """Return what `choose` returns, from what `traffic` remembers where it can. Raises: as `choose`."""
    plan = traffic.plans.get((asked, spoken))
    if plan is None:
        plan = _resolve(asked, traffic, spoken)
        if len(traffic.plans) >= _MAX_PLANS:
            traffic.plans.clear()
        traffic.plans[asked, spoken] = plan
    if principal.models:
        _check_allowed(plan, asked, principal)
    return plan


def _check_allowed(plan: Plan, asked: str, principal: Principal) -> None:
    if principal.models and not is_allowed(principal.models, plan):
        raise PermissionRefused(
            f"the key {principal.key_name!r} may not use {asked!r}; it may use: {', '.join(principal.models)}"
        )


def to_provider(name: str, model: str, principal: Principal, traffic: Traffic) -> Plan:
    """Resolve a provider that is called by its own paths. model: what is known of it, for limits.

    Such a call can reach everything at the provider, so a key with an allow-list must have all of it.
    Raises: PermissionRefused, NotFound, ProviderNotConfigured.
    """
    if principal.models and not covers(principal.models, f"{name}/*"):
        raise PermissionRefused(
            f"the key {principal.key_name!r} may not call {name!r} by its own paths; it would need '{name}/*'"
        )
    if name not in traffic.catalog.providers:
        near = difflib.get_close_matches(name, traffic.catalog.providers, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else "add it to `providers:` in sternpost.yaml"
        raise NotFound(f"the provider {name!r} is not known; {hint}")
    planned = _planned(Target(name, model), traffic.catalog, None)
    return Plan(planned.name, "", (planned,), _DEFAULT_LIMITS, 0.0)


def is_allowed(models: tuple[str, ...], plan: Plan) -> bool:
    """Say whether an allow-list names the route, or the model if no route was named; `lab/*` is a prefix."""
    names = (plan.route,) if plan.route else (plan.asked, plan.targets[0].name)
    return any(covers(models, name) for name in names)


def covers(models: tuple[str, ...], name: str) -> bool:
    """Say whether an allow-list has a name in it; `lab/*` is a prefix."""
    return any(_matches(entry, name) for entry in models)


def _matches(entry: str, name: str) -> bool:
    return name.startswith(entry[:-1]) if entry.endswith("*") else name == entry


def _resolve(asked: str, traffic: Traffic, spoken: Dialect | None) -> Plan:
    route = traffic.routes.get(asked)
    if route is not None:
        return _plan_of_route(route, traffic, spoken)
    target = _target(asked, traffic)
    planned = _planned(target, traffic.catalog, spoken)
    return Plan(asked, "", (planned,), _DEFAULT_LIMITS, _DEFAULT_HOLD_MS / 1000)


def _plan_of_route(route: Route, traffic: Traffic, spoken: Dialect | None) -> Plan:
    """Leave out targets of providers without a key, unless none would be left."""
    providers = traffic.catalog.providers
    ready = [t for t in route.targets if t.provider in providers and not providers[t.provider].is_known_only]
    targets = tuple(_planned(target, traffic.catalog, spoken) for target in ready or route.targets)
    limits = route.time_limits or _DEFAULT_LIMITS
    return Plan(
        asked=route.name,
        route=route.name,
        targets=targets,
        limits=limits,
        hold_s=route.hold_ms / 1000,
        unsupported=route.unsupported,
        cache_ttl=route.cache_ttl,
    )


def _target(asked: str, traffic: Traffic) -> Target:
    provider, slash, model = asked.partition("/")
    if slash and model and provider in traffic.catalog.providers:
        return Target(provider, model)
    owners = traffic.owners.get(asked, ())
    ready = [name for name in owners if not traffic.catalog.providers[name].is_known_only]
    if len(ready) == 1 or len(owners) == 1:
        return Target((ready or owners)[0], asked)
    if owners:
        choices = ", ".join(repr(f"{name}/{asked}") for name in ready or owners)
        raise ModelUnknown(f"the model {asked!r} is known at several providers; ask for one of {choices}")
    raise unknown(asked, [*traffic.routes, *_ready_models(traffic.catalog)], traffic.owners)


def _planned(target: Target, catalog: Catalog, spoken: Dialect | None) -> PlannedTarget:
    name = f"{target.provider}/{target.model}"
    provider = catalog.providers.get(target.provider)
    if provider is None:
        raise ModelUnknown(f"the provider of {name!r} is not known; add it to `providers:` in sternpost.yaml")
    if provider.is_known_only:
        raise ProviderNotConfigured(_not_configured(provider))
    facts = catalog.models.get(name) or _facts_of_base(target, provider, catalog)
    codec = UPSTREAM_CODECS[_dialect(spoken, provider, facts)]
    model, quirks = target.model, provider.quirks
    return PlannedTarget(
        target=target,
        provider=provider,
        facts=facts,
        name=name,
        codec=codec,
        headers=headers_for(provider, codec),
        whole_url=url_at(provider, model, codec.upstream_path(model, is_stream=False, quirks=quirks)),
        stream_url=url_at(provider, model, codec.upstream_path(model, is_stream=True, quirks=quirks)),
    )


def _dialect(spoken: Dialect | None, provider: Provider, facts: ModelFacts | None) -> Dialect:
    """Choose the caller's own where the provider knows it; what is translated goes where tools work."""
    if spoken is None or spoken == provider.dialect:
        return provider.dialect
    if spoken in provider.also_speaks:
        return spoken
    elsewhere = UPSTREAM_CODECS[provider.dialect].traits.takes_tools_elsewhere
    is_refused = facts is not None and _CHAT_TOOLS in facts.rejects
    return elsewhere if is_refused and elsewhere in provider.also_speaks else provider.dialect


def _facts_of_base(target: Target, provider: Provider, catalog: Catalog) -> ModelFacts | None:
    """Return what is known of the model behind a deployment's name, or behind one of several ids."""
    base_model = provider.deployments.get(target.model, target.model)
    names = [base_model]
    names.append(DIALECTS[provider.dialect].base_model(base_model))
    found = (catalog.models.get(f"{provider.name}/{name}") for name in names)
    return next((facts for facts in found if facts is not None), None)


def url_at(provider: Provider, model: str, path: str) -> str:
    """Join a path of the provider's dialect, whose own query may follow it, to its address."""
    url = provider.base_url.rstrip("/") + prefix_at(provider, model) + path
    return f"{url}{'&' if '?' in path else '?'}{provider.query}" if provider.query else url


def prefix_at(provider: Provider, model: str) -> str:
    """Return what stands before every path of a model."""
    return provider.path_prefix.replace("{model}", quote(model, safe=""))


def headers_for(provider: Provider, codec: UpstreamCodec) -> dict[str, str]:
    """Write what every request to a provider carries; its configured headers win."""
    headers = {
        "content-type": "application/json",
        "accept-encoding": "identity",  # decompressing costs more than a local network does
        "user-agent": "sternpost",
        **codec.upstream_headers(),
    }
    key = provider.api_key.value
    if key and provider.auth in _KEY_HEADER:
        name, prefix = _KEY_HEADER[provider.auth]
        headers[name] = prefix + key
    return {**headers, **{name.lower(): value for name, value in provider.headers.items()}}


def _not_configured(provider: Provider) -> str:
    name = provider.name
    if provider.fault:
        return f"the provider {name!r} is not configured: {provider.fault}"
    if missing := re.findall(r"\{(\w+)\}", provider.base_url):
        key = (
            ""
            if provider.api_key.value or not provider.key_variable
            else f"set {provider.key_variable}, and "
        )
        return (
            f"the provider {name!r} is not configured; {key}say where the account is:"
            f" add `{name}: {{{missing[0]}: ...}}` to `providers:` in sternpost.yaml"
        )
    if provider.is_key_withheld:
        how = (
            f"`api_key: ${{{provider.key_variable}}}`"
            if provider.key_variable
            else f"`auth: {provider.auth}`"
        )
        return (
            f"the provider {name!r} has an address of its own in sternpost.yaml, and credentials found in the"
            f" environment are not sent there; write {how} beside its base_url if they belong there"
        )
    if provider.key_variable:
        return (
            f"the provider {name!r} is not configured; set {provider.key_variable} and start Sternpost again"
        )
    if provider.docs_url:
        return (
            f"the provider {name!r} is not configured; add `{name}: {{}}` to `providers:` in sternpost.yaml"
        )
    return (
        f"the provider {name!r} is not configured; set the variable that its api_key or base_url is read from"
    )


def unknown(asked: str, *known: Iterable[str]) -> ModelUnknown:
    """Say which names are near; those of a later group only where no earlier one is."""
    found = (difflib.get_close_matches(asked, list(names), n=3, cutoff=0.5) for names in known)
    near = next(filter(None, found), None)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "GET /v1/models lists what there is"
    return ModelUnknown(f"the model {asked!r} is not known; {hint}")


def _ready_models(catalog: Catalog) -> list[str]:
    providers = catalog.providers
    return [name for name, facts in catalog.models.items() if not providers[facts.provider].is_known_only]
