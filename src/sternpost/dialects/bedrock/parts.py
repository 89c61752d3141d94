"""Content blocks of Bedrock's messages, written; roles and order belong to `turns`."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import Final

import msgspec

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
    ToolResponsePart,
    UriPart,
)
from sternpost.dialects.bedrock.names import DEFAULT_FORMATS, FORMATS
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.losses.no_place import no_place

_EMPTY_RESULT: Final = "(no output)"  # Bedrock answers 400 to a blank text
_CALL_ID: Final = re.compile(r"[a-zA-Z0-9_.:-]{1,64}\Z")


class BlockWriter:
    """Writes the blocks of one request, whose documents it counts: their names are never the caller's.

    A document's name reads as an instruction to the model and may hold few characters, so that Bedrock's
    documentation asks for neutral ones.
    """

    def __init__(self, *, knows_status: bool) -> None:
        self._knows_status = knows_status  # whether the model takes `status` on a tool's result
        self._documents = 0

    def write(self, part: Part) -> Mapping[str, Json]:
        """Raises: BadRequest for content that Bedrock has no block for."""
        match part:
            case TextPart(content) | RefusalPart(content) | DocumentPart(content=content):
                return {"text": content}
            case ToolCallPart(name, arguments, id):
                return {"toolUse": {"toolUseId": call_id(id), "name": name, "input": _input(arguments)}}
            case ToolResponsePart():
                return self._result(part)
            case ReasoningPart(encrypted_content=str(sealed)):
                return {"reasoningContent": {"redactedContent": sealed}}
            case ReasoningPart(content, signature):
                text: dict[str, Json] = {"text": content}
                if signature:
                    text["signature"] = signature
                return {"reasoningContent": {"reasoningText": text}}
            case BlobPart(modality, content, mime_type, filename):
                kind = _format(modality, mime_type, filename or "")
                return self._media(modality, kind, {"bytes": _checked(content, modality)})
            case UriPart(modality, uri, mime_type) if uri.startswith("s3://"):
                kind = _format(modality, mime_type, uri)
                return self._media(modality, kind, {"s3Location": {"uri": uri}})
            case UriPart(modality):
                raise BadRequest(
                    f"Bedrock fetches no links: send the {modality} itself as base64, or as s3://bucket/key."
                )
            case FilePart(modality):
                raise BadRequest(f"Bedrock does not support file ids: send the {modality} itself as base64.")
            case OtherPart(payload):
                raise no_place(payload, "Bedrock")

    def _media(self, modality: Modality, kind: str, source: Mapping[str, Json]) -> Mapping[str, Json]:
        block: dict[str, Json] = {"format": kind, "source": source}
        if modality == "document":
            self._documents += 1
            block["name"] = f"document-{self._documents}"
        return {modality: block}

    def _result(self, part: ToolResponsePart) -> Mapping[str, Json]:
        """Write a result; a failure is marked, or says so where the model knows no mark."""
        is_spoken = part.is_error and not self._knows_status
        content: list[Json] = []
        if isinstance(part.response, dict) and not is_spoken:
            content.append({"json": part.response})
        elif (text := _text(part.response)).strip():
            content.append({"text": f"Error: {text}" if is_spoken else text})
        content += [self.write(item) for item in part.media]
        if not content:
            content.append({"text": "Error" if is_spoken else _EMPTY_RESULT})
        block: dict[str, Json] = {"toolUseId": call_id(part.id), "content": content}
        if part.is_error and self._knows_status:
            block["status"] = "error"
        return {"toolResult": block}


def call_id(given: str | None) -> str:
    """Return the id, or a digest of one with letters or a length that Bedrock refuses."""
    if given and _CALL_ID.match(given):
        return given
    return f"call_{hashlib.sha256((given or '').encode()).hexdigest()[:24]}"


def is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _checked(content: str, modality: Modality) -> str:
    if not content or not is_base64(content):
        raise BadRequest(f"The {modality} is not valid base64.")
    return content


def _format(modality: Modality, mime_type: str, name: str) -> str:
    """Name the format by the media type, else by the file's ending. Raises: BadRequest."""
    known = FORMATS[modality]
    plain = mime_type.partition(";")[0].strip().lower()
    ending = name.rpartition(".")[2].lower()
    found = known.get(plain) or known.get(plain.rpartition("/")[2]) or known.get(ending)
    found = found or ("" if plain else DEFAULT_FORMATS.get(modality, ""))
    if not found:
        takes = ", ".join(dict.fromkeys(known.values()))
        raise BadRequest(f"Bedrock takes no {modality} of type {plain[:64]!r}; it takes: {takes}.")
    return found


def _text(response: Json) -> str:
    if response is None:
        return ""
    return response if isinstance(response, str) else msgspec.json.encode(response).decode()


def _input(arguments: str) -> Json:
    """Return the arguments as an object, which the API demands; what isn't one is kept as text in one."""
    try:
        value: Json = msgspec.json.decode(arguments) if arguments.strip() else {}
    except UNREADABLE:
        return {"arguments": arguments}
    return value if isinstance(value, dict) else {"arguments": arguments}
