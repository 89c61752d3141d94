import json
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.base.ids import ProjectId
from sternpost.capabilities.traces.media.detect import clean_mime_type, decode_base64, sniff_mime_type
from sternpost.capabilities.traces.media.extract import BLOB_REFERENCE, Media
from sternpost.capabilities.traces.writing.mapping import spans_of_call
from sternpost.contracts.message import BlobPart, Message, OtherPart, TextPart, ToolCallPart, ToolResponsePart
from sternpost.contracts.span import SpanBundle
from tests.unit.capabilities.traces.calls import NOON, call, reply_body
from tests.unit.capabilities.traces.media_samples import PDF, b64, data_url, picture, sound

PROJECT = ProjectId("prj_1")
PICTURE, SOUND = picture(), sound()
IMAGE_URL = {"type": "image_url", "image_url": {"url": data_url(PICTURE, "image/png")}}
AUDIO = {"type": "input_audio", "input_audio": {"data": b64(SOUND), "format": "wav"}}
FILE = {"type": "file", "file": {"filename": "a.pdf", "file_data": data_url(PDF, "application/pdf")}}


def batch_of(*parts: dict, dialect: str = "openai_chat", **changes: object) -> SpanBundle:
    body = {"model": "fast", "max_tokens": 9, "messages": [{"role": "user", "content": list(parts)}]}
    record = call(PROJECT, request_body=json.dumps(body).encode(), dialect_in=dialect, **changes)
    return spans_of_call(record, NOON)


def parts_of(batch: SpanBundle) -> list[dict]:
    bodies = {content.hash: msgspec.json.decode(content.body) for content in batch.contents}
    return [part for hash_ in batch.spans[0].input_hashes for part in bodies[hash_]["parts"]]


def test_media_of_a_call_become_blobs_and_references_stay() -> None:
    batch = batch_of(IMAGE_URL, AUDIO, FILE)
    kept = {blob.hash: blob for blob in batch.blobs}
    image, audio, document = parts_of(batch)
    assert [kept[part["hash"]].content for part in (image, audio, document)] == [PICTURE, SOUND, PDF]
    assert [part["size_bytes"] for part in (image, audio, document)] == [len(PICTURE), len(SOUND), len(PDF)]
    assert [part["mime_type"] for part in (image, audio, document)] == [
        "image/png", "audio/wav", "application/pdf",
    ]  # fmt: skip
    assert document["filename"] == "a.pdf"
    assert all("content" not in part for part in (image, audio, document))


def test_no_base64_is_left_in_any_row() -> None:
    batch = batch_of({"type": "text", "text": "Look"}, IMAGE_URL, AUDIO, FILE)
    rows = repr(batch.spans) + "".join(content.body.decode() for content in batch.contents)
    assert not any(b64(medium)[:40] in rows for medium in (PICTURE, SOUND, PDF))
    assert batch.spans[0].preview_input == "Look [image] [audio] [document]"


def test_the_same_picture_through_two_dialects_is_one_blob() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": b64(PICTURE)}
    first = batch_of(IMAGE_URL)
    second = batch_of({"type": "image", "source": source}, dialect="anthropic")
    assert first.blobs == second.blobs
    assert first.spans[0].input_hashes == second.spans[0].input_hashes


def test_another_project_has_another_hash_for_the_same_bytes() -> None:
    hashes = {Media(ProjectId(name)).keep(PICTURE, "image/png").hash for name in ("prj_1", "prj_2")}
    assert len(hashes) == 2


def test_an_image_that_a_responses_model_made_is_a_blob_of_the_reply() -> None:
    item = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": b64(PICTURE)}
    body = json.dumps({"id": "resp_1", "model": "m", "status": "completed", "output": [item]}).encode()
    batch = spans_of_call(call(PROJECT, reply_body=body, dialect_out="openai_responses"), NOON)
    assert [blob.content for blob in batch.blobs] == [PICTURE]
    content = next(one for one in batch.contents if one.hash == batch.spans[0].output_hashes[0])
    (image,) = msgspec.json.decode(content.body)["parts"]
    assert (image["modality"], image["mime_type"]) == ("image", "image/png")


def test_media_in_a_tool_result_are_taken_out_of_it() -> None:
    made = Media(PROJECT)
    inner = json.dumps([{"type": "image", "data": b64(PICTURE), "mimeType": "image/png"}])
    result = ToolResponsePart(inner, "call_1", media=(BlobPart("audio", b64(SOUND), "audio/wav"),))
    (part,) = made.taken_from(Message("tool", (result,))).parts
    assert isinstance(part, ToolResponsePart)
    assert b64(PICTURE)[:40] not in str(part.response)
    assert [one.mime_type for one in part.media if isinstance(one, BlobPart)] == ["audio/wav", "image/png"]


@pytest.mark.parametrize(
    "part",
    [
        TextPart(f"before {data_url(PICTURE, 'image/png')} after"),
        ToolCallPart("draw", json.dumps({"canvas": data_url(PICTURE, "image/png")}), "call_1"),
        OtherPart({"inlineData": {"mimeType": "image/png", "data": b64(PICTURE)}}),
        OtherPart({"image": {"format": "png", "source": {"bytes": b64(PICTURE)}}}),
    ],
    ids=["text", "arguments", "gemini", "bedrock"],
)
def test_media_in_any_text_or_json_are_found(part: TextPart | ToolCallPart | OtherPart) -> None:
    made = Media(PROJECT)
    kept, image = made.taken_from(Message("user", (part,))).parts
    assert [blob.content for blob in made.blobs] == [PICTURE]
    assert b64(PICTURE)[:40] not in repr(kept)
    assert isinstance(image, BlobPart)
    assert BLOB_REFERENCE + image.hash in repr(kept)


@pytest.mark.parametrize(
    "value",
    [
        {"type": "redacted", "encrypted_content": b64(bytes(range(256)) * 8)},
        {"signature": "Ek" * 2000},
        {"mimeType": "text/plain", "text": "a" * 3000},
        "word " * 1000,
        "[1, 2, 3] " * 400,
    ],
)
def test_what_is_no_medium_stays_byte_for_byte(value: object) -> None:
    made = Media(PROJECT)
    assert made.taken_from_json(value) == value  # type: ignore[arg-type]  # JSON
    assert made.blobs == ()


def test_what_is_no_base64_is_kept_as_the_text_it_is() -> None:
    made = Media(PROJECT)
    (part,) = made.taken_from(Message("user", (BlobPart("image", "not base64!", "image/png"),))).parts
    assert [blob.content for blob in made.blobs] == [b"not base64!"]
    assert isinstance(part, BlobPart)
    assert part.size_bytes == 11


def test_a_body_that_no_dialect_reads_keeps_its_media_apart_too() -> None:
    body = json.dumps({"messages": 3, "x": [data_url(PICTURE, "image/png"), b64(SOUND)]}).encode()
    batch = spans_of_call(call(PROJECT, request_body=body, reply_body=reply_body("ok")), NOON)
    assert {blob.content for blob in batch.blobs} == {PICTURE, SOUND}
    assert max(len(content.body) for content in batch.contents) < 2000


@given(st.binary(max_size=200), st.sampled_from(["", "\n", " "]), st.booleans())
def test_base64_of_any_alphabet_padding_and_line_breaks_is_read(
    content: bytes, gap: str, is_url: bool
) -> None:
    text = b64(content)
    if is_url:
        text = text.replace("+", "-").replace("/", "_").rstrip("=")
    assert decode_base64(gap.join(text[at : at + 8] for at in range(0, len(text), 8))) == content


@given(st.text(max_size=300))
def test_texts_without_media_are_never_changed(text: str) -> None:
    assert Media(PROJECT).taken_from(Message("user", (TextPart(text * 20),))).parts == (TextPart(text * 20),)


def test_ten_megabytes_of_any_text_are_searched_in_linear_time() -> None:
    texts = ("x" * 999 + " ") * 10_000, "data:image/png;base64," * 450_000, '["' + "y" * 10_000_000
    for text in texts:
        started_s = time.perf_counter()
        Media(PROJECT).taken_from(Message("user", (TextPart(text),)))
        assert time.perf_counter() - started_s < 30  # quadratic work would take minutes


@pytest.mark.parametrize(
    ("content", "declared", "wanted"),
    [
        (PICTURE, "", "image/png"),
        (PICTURE, "application/octet-stream", "image/png"),
        (PICTURE, "IMAGE/JPEG; q=1", "image/jpeg"),
        (picture(kind="JPEG"), "", "image/jpeg"),
        (picture(kind="WEBP"), "", "image/webp"),
        (picture(kind="GIF"), "", "image/gif"),
        (SOUND, "", "audio/wav"),
        (PDF, "", "application/pdf"),
        (b"\xff\xfb\x90", "", "audio/mpeg"),
        (b"hello", "text/html\r\nset-cookie: a=b", "application/octet-stream"),
    ],
)
def test_a_media_type_is_what_was_declared_or_what_the_bytes_say(
    content: bytes, declared: str, wanted: str
) -> None:
    assert clean_mime_type(declared, content) == wanted


def test_two_bytes_are_no_format() -> None:
    assert sniff_mime_type(b"\xff\xfb") == ""


@given(st.integers(0, 1100), st.integers(0, 1100), st.sampled_from([" ", '"', "\n", "{"]))
def test_base64_is_found_wherever_it_stands(before: int, after: int, filler: str) -> None:
    text = filler * before + data_url(PICTURE, "image/png") + filler * after
    made = Media(PROJECT)
    made.taken_from(Message("user", (TextPart(text),)))
    assert [blob.content for blob in made.blobs] == [PICTURE]
