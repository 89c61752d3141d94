"""Media without room: their traces are kept all the same, by hash, with a note; not what room there is."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from sternpost.base.errors import StorageFull
from sternpost.base.ids import ContentHash
from sternpost.contracts.blobs import Blob, BlobStore
from sternpost.contracts.span import Span, SpanBundle

logger = logging.getLogger(__name__)

NOTE: Final = "sternpost.media_not_kept"  # the attribute of a span that says why a picture of it is missing


def put_what_fits(blobs: BlobStore, wanted: Iterable[Blob]) -> dict[ContentHash, str]:
    """Put blobs and return why some were not kept, by hash. Raises: StoreUnavailable."""
    without: dict[ContentHash, str] = {}
    for blob in wanted:
        try:
            blobs.put(blob)
        except StorageFull as full:
            without[blob.hash] = full.message
    if without:
        logger.warning("%d media were not stored: %s", len(without), next(iter(without.values())))
    return without


def noted(batch: SpanBundle, without: Mapping[ContentHash, str]) -> SpanBundle:
    """Return the batch with a note on each span that refers to media that were not kept."""
    missing = {blob.hash for blob in batch.blobs if blob.hash in without}
    if not missing:
        return batch
    bodies = {content.hash: content.body for content in batch.contents}

    def note_of(span: Span) -> str:
        named = [*span.input_hashes, *span.output_hashes, *span.attributes.values()]
        texts = [bodies.get(ContentHash(one.rpartition(":")[2]), one.encode()) for one in named]
        found = [hash_ for hash_ in missing if any(hash_.encode() in text for text in texts)]
        return f"{len(found)}: {without[found[0]]}" if found else ""

    spans = tuple(
        replace(span, attributes={**span.attributes, NOTE: note}) if (note := note_of(span)) else span
        for span in batch.spans
    )
    return replace(batch, spans=spans)
