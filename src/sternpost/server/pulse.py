"""The signs of life of one process, read from a pipe; what follows of silence is the supervisor's."""

import asyncio
import os
from dataclasses import dataclass

_MUCH = 65_536


@dataclass(slots=True)
class Pulse:
    """A pipe whose other end a child process writes to. Watched from the first sign of life on."""

    read_fd: int
    write_fd: int
    is_heard: bool = False  # since the last look
    is_begun: bool = False
    silent_looks: int = 0

    @classmethod
    def open(cls) -> "Pulse":
        read_fd, write_fd = os.pipe()
        os.set_blocking(read_fd, False)
        return cls(read_fd, write_fd)

    def listen(self) -> None:
        """Begin to read, when the child has its end."""
        os.close(self.write_fd)
        self.write_fd = -1
        asyncio.get_running_loop().add_reader(self.read_fd, self._read)

    def look(self) -> int:
        """Return how many looks in a row found no sign of life; 0 before the first one."""
        if self.is_heard or not self.is_begun:
            self.silent_looks = 0
        else:
            self.silent_looks += 1
        self.is_heard = False
        return self.silent_looks

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.read_fd)
        os.close(self.read_fd)

    def _read(self) -> None:
        if os.read(self.read_fd, _MUCH):
            self.is_heard = self.is_begun = True
        else:  # the child closed its end, or is gone
            asyncio.get_running_loop().remove_reader(self.read_fd)
