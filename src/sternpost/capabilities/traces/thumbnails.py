"""Draws small pictures of pictures, whatever was sent as one; where they are kept is elsewhere."""

import io
import logging
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageOps

logger = logging.getLogger(__name__)

MIME_TYPE: Final = "image/webp"
PLACEHOLDER_TYPE: Final = "image/png"
MAX_BYTES: Final = 40_000_000
# Decoders that take no code of others and open nothing else: no SVG, no PDF, no EPS.
_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "AVIF")
_MAX_PIXELS: Final = 25_000_000  # 100 MB while it is decoded
_MAX_DECLARED_PIXELS: Final = 150_000_000  # of a JPEG, which is decoded at a fraction of its size
_QUALITY: Final = 80


def draw_thumbnail(content: bytes, edge: int) -> bytes | None:
    """Return a WebP picture of at most `edge` pixels a side; None for what is no picture or is too large.

    Nothing of the file but its pixels gets into the thumbnail: no place, no camera, no comment.
    """
    try:
        return _draw(content, edge)
    except Exception as error:  # noqa: BLE001  # the edge of one picture: decoders raise what they like
        logger.info("no thumbnail of %d bytes: %s", len(content), type(error).__name__)
        return None


def _draw(content: bytes, edge: int) -> bytes | None:
    with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
        if image.width * image.height > _MAX_DECLARED_PIXELS:
            return None
        image.draft("RGB", (edge * 2, edge * 2))
        if image.width * image.height > _MAX_PIXELS:
            return None
        small = ImageOps.exif_transpose(image)
        small = small.convert("RGBA" if small.has_transparency_data else "RGB")
        small.thumbnail((edge, edge))
    packed = io.BytesIO()
    small.save(packed, "WEBP", quality=_QUALITY)
    return packed.getvalue()


@lru_cache(maxsize=4)
def draw_placeholder(edge: int) -> bytes:
    """Draw what stands where no thumbnail can be: a crossed box that reads on light and dark ground."""
    size = edge // 2
    image = Image.new("RGBA", (size, size), (128, 128, 128, 40))
    draw = ImageDraw.Draw(image)
    line = (128, 128, 128, 200)
    draw.rectangle((0, 0, size - 1, size - 1), outline=line)
    draw.line((0, 0, size - 1, size - 1), fill=line)
    draw.line((0, size - 1, size - 1, 0), fill=line)
    packed = io.BytesIO()
    image.save(packed, "PNG")
    return packed.getvalue()
