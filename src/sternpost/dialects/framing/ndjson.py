"""Cuts a byte stream of newline-delimited JSON into lines; knows nothing of what they carry."""

from sternpost.dialects.framing.sse import FrameSplitter, FrameTooLarge


class LineSplitter(FrameSplitter):
    """Collects reads, cut anywhere, into whole lines that are not empty; cost is linear in the bytes."""

    __slots__ = ()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that are whole now. Raises: FrameTooLarge."""
        pending = self._pending
        end = chunk.rfind(b"\n")
        if end < 0:
            pending += chunk
            if len(pending) > self._limit:
                raise FrameTooLarge(f"a line of the stream is larger than {self._limit} bytes")
            return []
        whole = bytes(pending) + chunk[:end]
        pending[:] = chunk[end + 1 :]
        return [line for line in whole.split(b"\n") if line.strip()]

    def finish(self) -> tuple[bytes, bool]:
        """Return what is left at the end of the bytes: a line without its line feed."""
        rest = bytes(self._pending)
        self._pending.clear()
        return rest, False
