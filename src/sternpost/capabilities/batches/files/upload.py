"""Reads a multipart upload as it arrives and lets its file flow to disk; keeps no file in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from sternpost.base.errors import BadRequest, BodyTooLarge
from sternpost.base.threads import UPLOADS
from sternpost.capabilities.batches.files.bodies import FileBodies, OpenBody
from sternpost.capabilities.batches.files.quotas import OpenUpload

_MAX_FIELD_BYTES = 10_000
_MAX_PARTS = 20
_OVERHEAD_BYTES = 100_000  # of boundaries, headers and fields


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on disk, not kept yet, and the fields that came with it."""

    body: OpenBody
    filename: str
    fields: dict[str, str]


async def read_upload(
    content_type: str,
    chunks: AsyncIterator[bytes],
    bodies: FileBodies,
    max_bytes: int,
    share: OpenUpload | None = None,
) -> Upload:
    """Read a body to its end, also one that is refused: its sender would not see the answer before.

    share: what of a quota it may take. Raises: BadRequest, BodyTooLarge, StorageFull; nothing is then left on
    the disk.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise BadRequest("send the file as multipart/form-data with the fields `file` and `purpose`")
    body = await UPLOADS.run(bodies.begin)
    try:
        return await _read(_form(boundary, max_bytes), chunks, body, share)
    except BaseException:
        await UPLOADS.run(body.drop)
        raise


async def _read(
    form: "_Form", chunks: AsyncIterator[bytes], body: OpenBody, share: OpenUpload | None
) -> Upload:
    refusal: Exception | None = None
    async for chunk in chunks:
        if refusal is not None:
            continue  # read and dropped (RFC 9112, section 9.6)
        try:
            if block := form.feed(chunk):
                await _keep(block, body, share)
        except Exception as error:  # noqa: BLE001 - kept until the sender has ended, then raised
            refusal = error
    if refusal is not None:
        raise refusal
    form.finish()
    return Upload(body, form.filename, form.fields)


async def _keep(block: bytes, body: OpenBody, share: OpenUpload | None) -> None:
    if share is not None:
        share.take(len(block))
    await UPLOADS.run(body.write, block)


def _form(boundary: bytes, max_bytes: int) -> "_Form":
    try:
        return _Form(boundary, max_bytes)
    except FormParserError as error:
        raise BadRequest(f"the form can't be read: {error}") from error


@dataclass(slots=True)
class _Form:
    """One form: fields by name, and the bytes of the part that has a file's name."""

    boundary: bytes
    max_bytes: int
    filename: str = ""
    fields: dict[str, str] = field(default_factory=dict[str, str])
    _parser: MultipartParser = field(init=False)
    _has_file: bool = False
    _is_over: bool = False
    _part_count: int = 0
    _file_bytes: int = 0
    _header: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _disposition: bytes = b""
    _name: str = ""
    _is_file: bool = False
    _text: bytearray = field(default_factory=bytearray)
    _block: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self._parser = MultipartParser(
            self.boundary,
            {
                "on_part_begin": self._on_begin,
                "on_header_field": self._on_header_name,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_bytes,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes, return those of the file. Raises: BadRequest, BodyTooLarge."""
        self._block.clear()
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise BadRequest(f"the form can't be read: {error}") from error
        return bytes(self._block)

    def finish(self) -> None:
        """Raises: BadRequest for a form that is cut off or has no file."""
        if not self._is_over:
            raise BadRequest("the form ends before its last boundary; send it again")
        if not self._has_file:
            raise BadRequest("the form has no `file`", param="file")

    def _on_begin(self) -> None:
        self._part_count += 1
        if self._part_count > _MAX_PARTS:
            raise BadRequest(f"the form has more than {_MAX_PARTS} parts")
        self._disposition, self._name, self._is_file = b"", "", False
        self._text.clear()

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        if len(self._value) > _MAX_FIELD_BYTES:
            raise BadRequest("a header of the form is too long")

    def _on_header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _on_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._is_file = self._name == "file"
        if not self._is_file:
            return
        if self._has_file:
            raise BadRequest("the form has two files; send one at a time", param="file")
        self._has_file = True
        self.filename = options.get(b"filename", b"").decode("utf-8", "replace") or "file.jsonl"

    def _on_bytes(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._file_bytes += end - start
            if self._file_bytes > self.max_bytes:
                raise too_large(self.max_bytes)
            self._block += data[start:end]
            return
        self._text += data[start:end]
        if len(self._text) > _MAX_FIELD_BYTES:
            raise BadRequest(f"the field {self._name[:50]!r} is too long", param=self._name[:50])

    def _on_part_end(self) -> None:
        if not self._is_file and self._name:
            self.fields[self._name] = self._text.decode("utf-8", "replace")

    def _on_end(self) -> None:
        self._is_over = True


def too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"the file is longer than {max_bytes} bytes; split it, or raise STERNPOST_MAX_FILE_BYTES"
    )


def is_too_long(content_length: str, max_bytes: int) -> bool:
    """Whether a body that says its length can hold no file that is taken."""
    return content_length.isdecimal() and int(content_length) > max_bytes + _OVERHEAD_BYTES
