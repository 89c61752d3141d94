"""Media of any framework's messages become blobs; the sources of the forms stand beside them."""

import json
from pathlib import Path

import pytest

from sternpost.contracts.message import FilePart, Json, Message, ToolResponsePart, UriPart
from sternpost.ingest.mapping.messages import read_messages, read_part
from tests.unit.capabilities.traces.media_samples import PDF, b64, data_url, picture, sound
from tests.unit.ingest.support import PROJECT, Desk

PICTURE, SOUND = picture(), sound()


def otlp(messages: Json, **attributes: str) -> bytes:
    fields = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": json.dumps(messages), **attributes}
    span = {
        "traceId": "ab" * 16,
        "spanId": "cd" * 8,
        "name": "chat",
        "startTimeUnixNano": "1795176000000000000",
        "endTimeUnixNano": "1795176001000000000",
        "attributes": [{"key": name, "value": {"stringValue": text}} for name, text in fields.items()],
    }
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


PNG, WAV = "image/png", "audio/wav"
TYPES = {PICTURE: PNG, SOUND: WAV, PDF: "application/pdf"}
IMAGE = data_url(PICTURE, PNG)
SOURCE = {"type": "base64", "media_type": PNG, "data": b64(PICTURE)}
PDF_SOURCE = {"type": "base64", "media_type": "application/pdf", "data": b64(PDF)}
FORMS: dict[str, tuple[dict[str, Json], bytes]] = {
    # OpenTelemetry, GenAI input messages schema v1.41: BlobPart
    "otel": ({"type": "blob", "modality": "image", "mime_type": PNG, "content": b64(PICTURE)}, PICTURE),
    # platform.openai.com/docs/guides/images-vision and /guides/audio
    "openai image": ({"type": "image_url", "image_url": {"url": IMAGE}}, PICTURE),
    "openai audio": ({"type": "input_audio", "input_audio": {"data": b64(SOUND), "format": "wav"}}, SOUND),
    "openai file": ({"type": "file", "file": {"file_data": data_url(PDF, "application/pdf")}}, PDF),
    "responses image": ({"type": "input_image", "image_url": IMAGE}, PICTURE),
    # docs.anthropic.com/en/docs/build-with-claude/vision
    "anthropic image": ({"type": "image", "source": SOURCE}, PICTURE),
    "anthropic document": ({"type": "document", "source": PDF_SOURCE}, PDF),
    # ai-sdk.dev/docs/reference/ai-sdk-core/model-message
    "vercel file": ({"type": "file", "data": b64(PICTURE), "mediaType": PNG}, PICTURE),
    "vercel image": ({"type": "image", "image": IMAGE}, PICTURE),
    # docs.langchain.com: standard content blocks
    "langchain": ({"type": "image", "base64": b64(PICTURE), "mime_type": PNG}, PICTURE),
    # OpenInference semantic conventions: message_content.image
    "openinference": ({"message_content": {"type": "image", "image": {"image": {"url": IMAGE}}}}, PICTURE),
    # ai.google.dev/api/caching#Blob
    "gemini": ({"inlineData": {"mimeType": PNG, "data": b64(PICTURE)}}, PICTURE),
}


@pytest.mark.parametrize("form", FORMS)
async def test_a_medium_sent_by_otlp_is_journaled_as_a_blob(tmp_path: Path, form: str) -> None:
    part, wanted = FORMS[form]
    desk = Desk(tmp_path)
    reply = await desk.send(otlp([{"role": "user", "parts": [part]}]))
    (batch,) = desk.written()
    desk.close()
    (blob,) = batch.blobs
    rows = repr(batch.spans) + "".join(content.body.decode() for content in batch.contents)
    assert reply.status == 200
    assert (blob.project_id, blob.content, blob.mime_type) == (PROJECT, wanted, TYPES[wanted])
    assert b64(wanted)[:60] not in rows
    assert blob.hash in rows


async def test_a_large_attribute_keeps_its_picture_apart(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    await desk.send(otlp([], **{"app.screenshot": data_url(PICTURE, PNG)}))
    (batch,) = desk.written()
    desk.close()
    assert [blob.content for blob in batch.blobs] == [PICTURE]
    assert max(len(content.body) for content in batch.contents) < 200


def test_an_address_and_an_id_are_never_bytes() -> None:
    assert read_part({"type": "image_url", "image_url": {"url": "https://a.example/p.png"}}) == UriPart(
        "image", "https://a.example/p.png"
    )
    assert read_part({"type": "file", "file": {"file_id": "file_1"}}) == FilePart("document", "file_1")
    uri = {"type": "uri", "modality": "audio", "mime_type": WAV, "uri": "gs://bucket/a.wav"}
    assert read_part(uri) == UriPart("audio", "gs://bucket/a.wav", WAV)


def test_a_picture_in_the_result_of_a_tool_stays_with_it() -> None:
    image: Json = {"type": "image_url", "image_url": {"url": data_url(PICTURE, PNG)}}
    (message,) = read_messages([{"role": "tool", "tool_call_id": "call_1", "content": [image]}], "tool")
    assert isinstance(message, Message)
    (part,) = message.parts
    assert isinstance(part, ToolResponsePart)
    assert [one.type for one in part.media] == ["blob"]
