"""Parts of Gemini content, read and written; turns and their order belong to `turns`."""

import hashlib
import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sternpost.base.errors import BadRequest
from sternpost.contracts.message import (
    BlobPart,
    DocumentPart,
    FilePart,
    Json,
    Modality,
    OtherPart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    UriPart,
)
from sternpost.dialects.gemini import signatures
from sternpost.dialects.gemini.names import MIME_OF
from sternpost.dialects.gemini.signatures import seal
from sternpost.dialects.gemini.wire import WireCall, WirePart
from sternpost.dialects.losses.no_place import no_place

_MODALITIES: Final[Mapping[str, Modality]] = {"image": "image", "audio": "audio", "video": "video"}
_NO_ARGUMENTS: Final = ("", "null")
_MADE: Final = "call_gemini_"  # ids that Google did not give; they are of no use to it


@dataclass(slots=True)
class CallIds:
    """Gives the calls of one reply the ids that Google left out: the same ones whenever it is read."""

    seed: str  # the reply's id
    _count: dict[int, int] = field(default_factory=dict[int, int])  # by choice

    def of(self, call: WireCall, choice: int) -> str:
        index = self._count.get(choice, 0)
        self._count[choice] = index + 1
        if call.id:
            return call.id
        return _MADE + hashlib.sha256(f"{self.seed}/{choice}/{index}".encode()).hexdigest()[:24]


def own_id(call_id: str | None) -> str | None:
    """Return the id as the API may be told it."""
    return None if not call_id or call_id.startswith(_MADE) else call_id


def read_part(part: WirePart, ids: CallIds, choice: int) -> Iterator[Part]:
    """Read one part; its signature becomes a thought without words before a call, behind anything else."""
    signature = part.thought_signature
    if part.function_call is not None:
        call_id = ids.of(part.function_call, choice)
        if signature:
            yield ReasoningPart(signature=seal(call_id, signature))
        arguments = bytes(part.function_call.args).decode("utf-8", "replace")
        yield ToolCallPart(
            part.function_call.name, "{}" if arguments in _NO_ARGUMENTS else arguments, call_id
        )
    elif part.thought:
        sealed = seal(signatures.THOUGHT, signature) if signature else None
        if part.text or sealed:
            yield ReasoningPart(part.text or "", signature=sealed)
    elif part.text is not None:
        if part.text:
            yield TextPart(part.text)
        if signature:
            place = signatures.TEXT if part.text else signatures.AFTER_TEXT
            yield ReasoningPart(signature=seal(place, signature))
    else:
        yield from _read_media(part)


def _read_media(part: WirePart) -> Iterator[Part]:
    if part.inline_data is not None:
        mime_type = part.inline_data.mime_type
        yield BlobPart(_modality(mime_type), part.inline_data.data, mime_type)
        if part.thought_signature:
            yield ReasoningPart(signature=seal(signatures.MEDIA, part.thought_signature))
    elif part.file_data is not None:
        mime_type = part.file_data.mime_type
        yield UriPart(_modality(mime_type), part.file_data.file_uri, mime_type)
    elif part.executable_code is not None:
        yield OtherPart({"type": "executable_code", **part.executable_code})
    elif part.code_execution_result is not None:
        yield OtherPart({"type": "code_execution_result", **part.code_execution_result})


def _modality(mime_type: str) -> Modality:
    kind = mime_type.partition("/")[0]
    return _MODALITIES.get(kind, "document")


def write_part(part: Part) -> Mapping[str, Json] | None:
    """Write what a model is given; None for an empty text, which the API refuses.

    Raises: BadRequest for content without a form here.
    """
    match part:
        case TextPart(content) | RefusalPart(content) | DocumentPart(content=content):
            return {"text": content} if content else None
        case BlobPart():
            return write_blob(part)
        case UriPart():
            return _write_uri(part)
        case FilePart(modality, file_id):
            if not file_id.startswith(("files/", "https://", "gs://")):
                raise BadRequest(
                    f"This model's API knows no {modality} with the file id {file_id[:64]!r};"
                    " upload it to Google, or send it as base64 content."
                )
            return {"fileData": {"fileUri": file_id}}
        case OtherPart(payload):
            raise no_place(payload)
        case _:
            raise BadRequest(f"This model's API does not support content of type {part.type!r} here.")


def write_blob(part: BlobPart) -> Mapping[str, Json]:
    return {"inlineData": {"mimeType": part.mime_type or MIME_OF[part.modality], "data": part.content}}


def _write_uri(part: UriPart) -> Mapping[str, Json]:
    """Name the type, which the API does not find out by itself for addresses outside Google."""
    guessed, _ = mimetypes.guess_type(part.uri.partition("?")[0])
    fallback = "image/jpeg" if part.modality == "image" else MIME_OF[part.modality]
    return {"fileData": {"fileUri": part.uri, "mimeType": part.mime_type or guessed or fallback}}
