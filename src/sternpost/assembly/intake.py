"""Builds the OTLP intake of a serving process, with the process of its own that large requests go to."""

import hmac
import sys

import msgspec

from sternpost.assembly.in_force import Configuration
from sternpost.assembly.intake_process import Hello
from sternpost.backends.model_client.worker_token import shared_secret
from sternpost.base.settings import Settings
from sternpost.capabilities.cost.config import SECTION as PRICES
from sternpost.contracts.tables import Tables
from sternpost.ingest.apart import IntakeApart, Prepared
from sternpost.providers.configure import price_names


def upload_secret(tables: Tables, now_ns: int) -> bytes:
    """Return what signs leaves to upload media, the same in every process. Raises: StoreUnavailable."""
    return hmac.digest(shared_secret(tables, now_ns), b"media uploads", "sha256")


def intake_apart(prepared: Prepared) -> IntakeApart:
    """Prepare the intake process; it starts with the first request that is for it."""
    return IntakeApart([sys.executable, "-m", "sternpost.assembly.intake_process"], prepared)


def hello_of(settings: Settings, configuration: Configuration) -> Prepared:
    """Write what the intake process is told at its start and after each change of the configuration."""
    prices = configuration.loaded.config.section(PRICES)
    hello = Hello(str(settings.home), prices, price_names(configuration.catalog))
    return Prepared(configuration.loaded.digest, msgspec.msgpack.encode(hello))
