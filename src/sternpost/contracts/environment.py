"""Where an application runs: the environments that exist everywhere; more come from the configuration."""

from typing import Final

DEFAULT_ENVIRONMENT: Final = "production"  # of keys and spans that were made before there were environments
ENVIRONMENTS: Final = ("development", "staging", DEFAULT_ENVIRONMENT)
