"""Writes the catalogue's list of models from the price library: `python scripts/models.py`.

The library knows every model with a price and its context size; what a model can do is described by hand in
the catalogue's TOML files. Names that are labels of the library, and models it calls deprecated, stay out.
"""

import json
import re
from pathlib import Path

from genai_prices.data_snapshot import get_snapshot

from sternpost.providers.catalog import load_catalog

# Priced still, for old records, and gone at the provider.
# https://platform.claude.com/docs/en/about-claude/model-deprecations
# https://developers.openai.com/api/docs/deprecations
RETIRED = {
    "anthropic": {
        "claude-2", "claude-3-5-haiku-latest", "claude-3-5-sonnet", "claude-3-7-sonnet-latest",
        "claude-3-opus-latest", "claude-3-sonnet",
    },
    "openai": {
        "chatgpt-4o-latest", "codex-mini", "computer-use", "gpt-3.5-0301", "gpt-3.5-turbo",
        "gpt-3.5-turbo-0613", "gpt-3.5-turbo-1106", "gpt-3.5-turbo-16k", "gpt-3.5-turbo-instruct", "gpt-4",
        "gpt-4-32k", "gpt-4-turbo", "gpt-4-vision-preview", "gpt-4o-2024-05-13", "gpt-4o-audio-preview",
        "gpt-4o-mini-audio-preview", "gpt-4o-search-preview", "gpt-5.1-codex-mini", "o1", "o1-mini",
        "o1-preview", "o1-pro", "o3-deep-research", "o3-mini", "o4-mini-deep-research",
    },
}  # fmt: skip
# What the library calls a group of ids at Bedrock, where no id has this prefix, or this version without a date.
LABEL = re.compile(r"regional\.|global\.anthropic\.claude-[a-z]+-\d(-\d)?-v1:0$")
LISTED = Path(__file__).parents[1] / "src" / "sternpost" / "providers" / "catalog" / "listed.json"


def listed() -> dict[str, dict[str, int]]:
    """Return price provider -> model -> context size in tokens, for the hosts of the catalogue."""
    snapshot = get_snapshot()
    wanted = {host.provider.price_provider or name for name, host in load_catalog().items()}
    found: dict[str, dict[str, int]] = {}
    for provider in snapshot.providers:
        if provider.id not in wanted:
            continue
        models = {
            model.id: model.context_window
            for model in provider.models
            if model.context_window
            and not model.deprecated
            and model.id not in RETIRED.get(provider.id, ())
            and model.match.is_match(model.id)
            and not LABEL.match(model.id)
        }
        if models:
            found[provider.id] = dict(sorted(models.items()))
    return dict(sorted(found.items()))


def text() -> str:
    return json.dumps(listed(), indent=0) + "\n"


if __name__ == "__main__":
    LISTED.write_text(text(), encoding="utf-8")
