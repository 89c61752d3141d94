"""Tells spans of one trace apart that came with the same id from different senders; pure."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final, cast

from sternpost.capabilities.traces.writing.mapping import SCOPE

SENT_AS: Final = "sent_with_span_id"  # attribute: the id that was another span's before


def with_ids_of_their_own(rows: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Leave the id to the gateway's own span, else to the first that came; give each other one a new id.

    Ids are random: the same one from another key is a mistake, or an attempt to impersonate a span.
    """
    if len({row["span_id"] for row in rows}) == len(rows):
        return list(rows)
    owners: dict[object, Mapping[str, object]] = {}
    for row in sorted(rows, key=_precedence):
        owners.setdefault(row["span_id"], row)
    return [row if owners[row["span_id"]] is row else _renamed(row) for row in rows]


def _precedence(row: Mapping[str, object]) -> tuple[bool, int]:
    return row["scope"] != SCOPE, cast("int", row["received_ns"])


def _renamed(row: Mapping[str, object]) -> Mapping[str, object]:
    writer, span_id = str(row["written_by"]), str(row["span_id"])
    own_id = blake2b(f"{writer}/{span_id}".encode(), digest_size=8).hexdigest()
    attributes = {**cast("Mapping[str, str]", row["attributes"]), SENT_AS: span_id}
    return {**row, "span_id": own_id, "attributes": attributes}
