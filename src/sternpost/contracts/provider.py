"""Providers and models as the gateway sees them; how each is filled belongs to `providers`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeAlias

from sternpost.contracts.call import Dialect

# The first four send a key in a header; the next three sign each request (`contracts.upstream.Signer`).
AuthStyle: TypeAlias = Literal[
    "bearer", "x-api-key", "api-key", "x-goog-api-key", "aws_sigv4", "google_oauth", "azure_entra", "none"
]
SIGNED = frozenset[AuthStyle]({"aws_sigv4", "google_oauth", "azure_entra"})


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that never shows in a log, a repr or an error."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "***" if self.value else ""


@dataclass(frozen=True, slots=True)
class Quirks:
    """Where a host departs from its dialect."""

    takes_stream_options: bool = True  # some hosts refuse `stream_options`
    is_reasoning_inside: bool = True  # completion_tokens includes reasoning tokens
    takes_max_completion_tokens: bool = False  # else `max_tokens`
    is_usage_cost_reported: bool = False  # money in `usage`: OpenRouter, Perplexity, xAI, DeepInfra
    takes_reasoning_content: bool = False  # wants earlier thinking back in `reasoning_content`
    sends_done: bool = True  # ends a stream with `data: [DONE]`
    is_vertex: bool = False  # Gemini's or Anthropic's dialect as Vertex AI speaks it
    rejects: tuple[str, ...] = ()  # fields it answers 4xx to; "developer": that role
    seed_field: str = "seed"
    call_id_length: int = 0  # of tool calls, in letters and digits; 0: as they come
    refuses_long_ids: bool = False  # of users, cache keys and calls: those over 64 characters
    is_anthropic: bool = False  # Anthropic's own API, which reads what means nothing to other hosts
    is_mistral: bool = False  # documents, sound and prefixes as Mistral writes them
    takes_prompt_cache_key: bool = False  # groups calls that share a prefix; others refuse the field


STANDARD = Quirks()


@dataclass(frozen=True, slots=True)
class Provider:
    """One configured account at one host."""

    name: str
    title: str
    dialect: Dialect
    base_url: str  # ends where the dialect's paths begin, e.g. https://api.openai.com/v1
    api_key: Secret = Secret("")
    key_variable: str = ""  # which environment variable the key is looked for in
    is_key_written: bool = False  # in sternpost.yaml itself; no variable is looked at
    also_speaks: tuple[Dialect, ...] = ()  # other dialects at the same address, for their own callers
    auth: AuthStyle = "bearer"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    quirks: Quirks = Quirks()
    price_provider: str = ""  # its name in the price table; empty: the same name
    is_free: bool = False  # declared free of charge
    is_known_only: bool = False  # a name of the catalogue that nobody configured
    fault: str = ""  # why it is not configured although a key was given
    is_key_withheld: bool = False  # it has credentials, not named for the address that the file gives it
    docs_url: str = ""
    options: Mapping[str, str] = field(default_factory=dict[str, str])  # region, project, ... of the account
    path_prefix: str = ""  # before every path of the dialect; `{model}` stands for the target's model
    query: str = ""  # behind every path, e.g. api-version=2024-10-21
    deployments: Mapping[str, str] = field(default_factory=dict[str, str])  # target's model -> base model
    batch_api: Literal["", "openai", "anthropic"] = ""  # whose batch API the host has


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Abilities and limits of one model, as its provider documents them."""

    provider: str
    name: str
    title: str = ""
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    abilities: tuple[str, ...] = ()  # tools, vision, reasoning, json_schema, audio, ...
    rejects: tuple[str, ...] = ()  # parameters the model answers 400 to
    retires_on: date | None = None  # as its provider announced it; None: nothing is announced, or known
    min_cache_tokens: int | None = None  # a shorter prefix is not cached, whatever is marked


@dataclass(frozen=True, slots=True)
class Catalog:
    """All providers by name, all known models, and the routes; replaced as a whole on a change."""

    providers: Mapping[str, Provider]
    models: Mapping[str, ModelFacts]  # "provider/model"
