"""Run large-language-model applications in production."""

import importlib

__version__ = "0.1.0"

# Loaded when first used, so that `import windlass` costs nothing; types are in __init__.pyi.
_PUBLIC = {
    "feedback": "windlass.sdk.feedback",
    "score": "windlass.sdk.feedback",
    "flush": "windlass.sdk.client",
    "init": "windlass.sdk.client",
    "headers": "windlass.sdk.propagation",
    "current_span": "windlass.sdk.span",
    "retrieval": "windlass.sdk.tracing",
    "tool": "windlass.sdk.tracing",
    "trace": "windlass.sdk.tracing",
}


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'windlass' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
