"""Builds the OTLP intake of a serving process, with the process of its own that large requests go to."""

import hmac
import sys

import msgspec

from sternpost.assembly.config_grammar import ConfigFile
from sternpost.assembly.intake_process import Hello
from sternpost.backends.model_client.worker_token import shared_secret
from sternpost.base.settings import Settings
from sternpost.capabilities.cost.config import SECTION as PRICES
from sternpost.contracts.provider import Catalog
from sternpost.contracts.tables import Tables
from sternpost.ingest.apart import IntakeApart
from sternpost.providers.configure import price_names


def upload_secret(tables: Tables, now_ns: int) -> bytes:
    """Return what signs leaves to upload media, the same in every process. Raises: StoreUnavailable."""
    return hmac.digest(shared_secret(tables, now_ns), b"media uploads", "sha256")


def intake_apart(settings: Settings, config: ConfigFile, catalog: Catalog) -> IntakeApart:
    """Prepare the intake process; it starts with the first request that is for it."""
    hello = Hello(str(settings.home), config.section(PRICES), price_names(catalog))
    command = [sys.executable, "-m", "sternpost.assembly.intake_process"]
    return IntakeApart(command, msgspec.msgpack.encode(hello))
