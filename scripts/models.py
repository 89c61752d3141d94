"""Writes the catalogue's list of models from the price library: `python scripts/models.py`.

The library knows every model with a price and its context size; what a model can do is described by hand in
the catalogue's TOML files. Names that are labels of the library, and models it calls deprecated, stay out.
"""

import json
from pathlib import Path

from genai_prices.data_snapshot import get_snapshot

from windlass.providers.catalog import load_catalog

LISTED = Path(__file__).parents[1] / "src" / "windlass" / "providers" / "catalog" / "listed.json"


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
            if model.context_window and not model.deprecated and model.match.is_match(model.id)
        }
        if models:
            found[provider.id] = dict(sorted(models.items()))
    return dict(sorted(found.items()))


def text() -> str:
    return json.dumps(listed(), indent=0) + "\n"


if __name__ == "__main__":
    LISTED.write_text(text(), encoding="utf-8")
