"""Finds the request of a line in the file that was uploaded; blocking."""

from sternpost.capabilities.batches.files.bodies import FileBodies
from sternpost.capabilities.batches.files.line_format import Request, read_line
from sternpost.capabilities.batches.records import Batch, Line


def read_request(bodies: FileBodies, batch: Batch, line: Line) -> Request:
    """Read one line again, to run it. Raises: LineRefused, NotFound."""
    with bodies.open(batch.input_file_id) as file:
        file.seek(line.offset)
        return read_line(file.read(line.size_bytes), line.number, batch.endpoint)
