import json
import time

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sternpost.base.ids import ProjectId
from sternpost.capabilities.traces.writing.cut_body import mend_cut_json
from sternpost.capabilities.traces.writing.mapping import UNPARSED, spans_of_call
from tests.unit.capabilities.traces.calls import NOON, call
from tests.unit.capabilities.traces.media_samples import b64, data_url, picture

PROJECT = ProjectId("prj_1")
TEXTS = st.text(alphabet=st.sampled_from('ab "\\\n\u00e9\U0001f600{}[],:'), max_size=12)
VALUES = st.recursive(
    TEXTS | st.integers(-99, 99) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4), st.data())
def test_an_object_cut_at_any_byte_is_mended(values: dict[str, object], data: st.DataObject) -> None:
    body = json.dumps(values, ensure_ascii=data.draw(st.booleans())).encode()
    at = data.draw(st.integers(1, len(body)))
    mended = mend_cut_json(body[:at])
    assert mended is not None
    names = list(mended)
    assert names[:-1] == list(values)[: len(names) - 1] if names else True
    assert all(mended[name] == values[name] for name in names[:-1])


def test_what_is_no_object_is_not_mended() -> None:
    assert [mend_cut_json(body) for body in (b"", b"[1,", b"hello", b'"x')] == [None] * 4


def test_ten_megabytes_are_mended_in_linear_time() -> None:
    body = json.dumps({"messages": [{"role": "user", "content": 'a "word" and ' * 800_000}]}).encode()
    started_s = time.perf_counter()
    assert mend_cut_json(body[:10_000_000]) is not None
    assert time.perf_counter() - started_s < 30


def cut_messages(body: dict[str, object], keep: int, dialect: str = "openai_chat") -> list[dict]:
    record = call(
        PROJECT,
        request_body=json.dumps(body).encode()[:keep],
        warnings=("request_body_cut",),
        dialect_in=dialect,
    )
    batch = spans_of_call(record, NOON)
    assert UNPARSED not in batch.spans[0].attributes
    bodies = {content.hash: msgspec.json.decode(content.body) for content in batch.contents}
    return [bodies[hash_] for hash_ in batch.spans[0].input_hashes]


def test_a_cut_request_shows_the_whole_pictures_and_says_which_one_was_cut() -> None:
    whole, cut = picture(seed=1), picture(200, 200, seed=2)
    parts = [
        {"type": "text", "text": "What are these?"},
        {"type": "image_url", "image_url": {"url": data_url(whole, "image/png")}},
        {"type": "image_url", "image_url": {"url": data_url(cut, "image/png")}},
    ]
    body: dict[str, object] = {"messages": [{"role": "user", "content": parts}], "model": "fast"}
    (message,) = cut_messages(body, len(whole) * 4 // 3 + 20_000)
    text, first, second = message["parts"]
    assert text["content"] == "What are these?"
    assert first["size_bytes"] == len(whole)
    assert second == {"type": "blob", "modality": "image", "mime_type": "image/png", "content": ""}


def test_a_cut_anthropic_request_whose_picture_lost_its_type_shows_what_came_before() -> None:
    source = {"data": b64(picture(200, 200)), "media_type": "image/png", "type": "base64"}
    parts = [{"type": "text", "text": "Look"}, {"type": "image", "source": source}]
    body: dict[str, object] = {"messages": [{"role": "user", "content": parts}], "max_tokens": 9}
    (message,) = cut_messages(body, 20_000, "anthropic")
    assert [part["type"] for part in message["parts"]] == ["text"]
