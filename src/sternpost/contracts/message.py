"""Messages of a conversation as one provider-neutral shape; not any provider's wire format.

Source: the message schema of OpenTelemetry's GenAI conventions v1.41, with what replay needs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
Modality: TypeAlias = Literal["image", "video", "audio", "document"]


@dataclass(frozen=True, slots=True)
class TextPart:
    content: str
    type: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class ReasoningPart:
    """Thinking of a model; `signature` and `encrypted_content` are replayed byte for byte."""

    content: str = ""
    signature: str | None = None
    encrypted_content: str | None = None
    id: str | None = None
    type: Literal["reasoning"] = "reasoning"


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A model asks for a tool. `arguments` stays the text the model wrote (JSON, or not)."""

    name: str
    arguments: str
    id: str | None = None
    type: Literal["tool_call"] = "tool_call"


@dataclass(frozen=True, slots=True)
class ToolResponsePart:
    response: Json
    id: str | None = None
    is_error: bool = False
    media: "tuple[BlobPart | UriPart | FilePart, ...]" = ()  # images and documents beside the text
    type: Literal["tool_call_response"] = "tool_call_response"


@dataclass(frozen=True, slots=True)
class RefusalPart:
    content: str
    type: Literal["refusal"] = "refusal"


@dataclass(frozen=True, slots=True)
class BlobPart:
    """Bytes of a medium: in `content`, or on a trace by `hash`; with neither they were cut off."""

    modality: Modality
    content: str  # base64
    mime_type: str = ""
    filename: str | None = None
    detail: str | None = None  # of a picture: how closely to look
    hash: str = ""  # of the blob that holds the bytes
    size_bytes: int = 0  # with `hash`
    type: Literal["blob"] = "blob"


@dataclass(frozen=True, slots=True)
class UriPart:
    modality: Modality
    uri: str
    mime_type: str = ""
    detail: str | None = None
    type: Literal["uri"] = "uri"


@dataclass(frozen=True, slots=True)
class FilePart:
    modality: Modality
    file_id: str
    detail: str | None = None
    type: Literal["file"] = "file"


@dataclass(frozen=True, slots=True)
class DocumentPart:
    """A passage that retrieval found."""

    id: str
    content: str = ""
    score: float | None = None
    title: str = ""
    uri: str = ""
    type: Literal["document"] = "document"


@dataclass(frozen=True, slots=True)
class OtherPart:
    """A part no dialect of ours knows, kept unread."""

    payload: Mapping[str, Json]
    type: Literal["other"] = "other"


Part: TypeAlias = (
    TextPart
    | ReasoningPart
    | ToolCallPart
    | ToolResponsePart
    | RefusalPart
    | BlobPart
    | UriPart
    | FilePart
    | DocumentPart
    | OtherPart
)


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    parts: tuple[Part, ...]
    name: str | None = None
    finish_reason: str | None = None  # output messages only
