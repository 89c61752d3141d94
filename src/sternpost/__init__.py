"""Run large-language-model applications in production."""

import importlib

__version__ = "0.1.0"

# Loaded when first used, so that `import sternpost` costs nothing; types are in __init__.pyi.
_PUBLIC = {
    "feedback": "sternpost.sdk.feedback",
    "score": "sternpost.sdk.feedback",
    "flush": "sternpost.sdk.client",
    "init": "sternpost.sdk.client",
    "headers": "sternpost.sdk.propagation",
    "current_span": "sternpost.sdk.span",
    "retrieval": "sternpost.sdk.tracing",
    "tool": "sternpost.sdk.tracing",
    "trace": "sternpost.sdk.tracing",
}


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'sternpost' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
