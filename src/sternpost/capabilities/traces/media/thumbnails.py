"""Has thumbnails rendered of whatever was sent as an image; the rendering itself is in `drawing`."""

import asyncio
import io
import logging
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from sternpost.capabilities.traces.media import drawing

logger = logging.getLogger(__name__)

MIME_TYPE: Final = "image/webp"
PLACEHOLDER_TYPE: Final = "image/png"
MAX_BYTES: Final = 40_000_000
_AT_ONCE: Final = 2
_MOST_WAITING: Final = 40
_PATIENCE_S: Final = 10.0
# Isolated: no path, no start-up file and no variable of the environment reaches it, so no key does either.
COMMAND: Final = (sys.executable, "-I", str(Path(drawing.__file__)))
ENVIRONMENT: Final = {"MALLOC_ARENA_MAX": "1"}


class Thumbnails:
    """Renders two at once, each in a separate process that has little memory and little time."""

    def __init__(self, *, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def draw(self, read: Callable[[], Awaitable[bytes]], edge: int) -> bytes | None:
        """Return a WebP image of at most `edge` pixels a side; None if there can be none.

        read: the image, read when it is its turn, so that waiting ones take no memory.
        """
        if self._waiting >= _MOST_WAITING:
            return None
        self._waiting += 1
        try:
            async with self._places:
                return await self._run(await read(), edge)
        finally:
            self._waiting -= 1

    async def _run(self, content: bytes, edge: int) -> bytes | None:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            str(edge),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=ENVIRONMENT,
        )
        try:
            drawn, words = await asyncio.wait_for(process.communicate(content), self._patience_s)
        except TimeoutError:
            logger.info("no thumbnail of %d bytes: it took longer than %g s", len(content), self._patience_s)
            return None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode == 0 and drawn:
            return drawn
        said = words.decode("ascii", "replace")[-60:].strip() or "too large"
        logger.info("no thumbnail of %d bytes: %s (%s)", len(content), said, process.returncode)
        return None


@lru_cache(maxsize=4)
def draw_placeholder(edge: int) -> bytes:
    """Draw the placeholder where no thumbnail can be: a crossed box that is visible on light and dark."""
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
