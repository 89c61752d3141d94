"""Reads the shipped price table from its file; no network, and no price arithmetic."""

from pathlib import Path

import msgspec

from sternpost.capabilities.cost.records import PriceTable, ProviderPrices

TABLE_PATH = Path(__file__).with_name("prices.json")

_DECODE_TABLE = msgspec.json.Decoder(PriceTable)
_DECODE_PROVIDER = msgspec.json.Decoder(ProviderPrices)


def read_table(path: Path = TABLE_PATH) -> tuple[PriceTable, bytes]:
    """Return the table, its providers still undecoded, and its bytes for the version hash."""
    content = path.read_bytes()
    return _DECODE_TABLE.decode(content), content


def decode_provider(table: PriceTable, provider: str) -> ProviderPrices:
    return _DECODE_PROVIDER.decode(table.providers[provider])
