"""The program that renders one thumbnail and ends: an image as input, a small WebP as output.

It runs in a separate process (`thumbnails`), because an image of a few bytes may decode to gigabytes and
decoders have bugs. It imports nothing of Sternpost: it starts at once, and has no secret.
"""

import io
import resource
import sys
from typing import Final

from PIL import Image, ImageOps

MEMORY_BYTES: Final = 640_000_000  # of addresses, the program itself among them
CPU_S: Final = 8
# Decoders that take no code of others and open nothing else: no SVG, no PDF, no EPS, no TIFF.
_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "AVIF")
_MAX_PIXELS: Final = 25_000_000  # 100 MB while it is decoded
_MAX_DECLARED_PIXELS: Final = 150_000_000  # of a JPEG, which is decoded at a fraction of its size
_QUALITY: Final = 80
_DRAWN, _NO_PICTURE = 0, 3


def draw(content: bytes, edge: int) -> bytes | None:
    """Return a WebP image of at most `edge` pixels a side; None for what is not an image or is too large.

    Nothing of the file but its pixels gets into the thumbnail: no place, no camera, no comment.
    """
    with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
        if _is_too_large(image):
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


def _is_too_large(image: Image.Image) -> bool:
    """Check the header. A progressive JPEG is decoded completely, however small its thumbnail (libjpeg)."""
    is_scaled = image.format == "JPEG" and not image.info.get("progressive")
    return image.width * image.height > (_MAX_DECLARED_PIXELS if is_scaled else _MAX_PIXELS)


def confine() -> None:
    """Take away what drawing does not need; for this process alone."""
    limits = {
        resource.RLIMIT_AS: MEMORY_BYTES,
        resource.RLIMIT_CPU: CPU_S,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 16,
    }
    for kind, most in limits.items():
        _, hard = resource.getrlimit(kind)
        wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (wanted, wanted))


def main(edge: int) -> int:
    """Render standard input to standard output; 3: it can't be rendered."""
    content = sys.stdin.buffer.read()
    confine()
    Image.MAX_IMAGE_PIXELS = _MAX_DECLARED_PIXELS  # Pillow's own limit, for frames inside a file
    try:
        drawn = draw(content, edge)
    except Exception as error:  # noqa: BLE001  # the edge of a process: decoders raise what they like
        sys.stderr.write(type(error).__name__)
        return _NO_PICTURE
    if drawn is None:
        return _NO_PICTURE
    sys.stdout.buffer.write(drawn)
    return _DRAWN


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
