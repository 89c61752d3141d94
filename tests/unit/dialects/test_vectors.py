import base64
import json
import struct

import pytest

from sternpost.contracts.provider import STANDARD, Quirks
from sternpost.contracts.usage import Usage, UsageSource
from sternpost.dialects.openai_chat.embeddings import OpenAiEmbedder, edit, read_head
from sternpost.dialects.protocols import ReplySummary, RequestHead, Vectors
from sternpost.dialects.vectors import join, split


def head(given: object, **more: object) -> RequestHead:
    return read_head(json.dumps({"model": "m", "input": given, **more}).encode())


def inputs(part: RequestHead) -> object:
    return json.loads(bytes(part.fields["input"]))


def vectors(usage: Usage | None, *embeddings: str) -> Vectors:
    items = ",".join(
        f'{{"object":"embedding","index":{index},"embedding":{one}}}' for index, one in enumerate(embeddings)
    )
    counted = (
        f',"usage":{{"prompt_tokens":{usage.in_fresh},"total_tokens":{usage.in_fresh}}}' if usage else ""
    )
    shown = f'{{"object":"list","data":[{items}],"model":"m"{counted}}}'
    return Vectors(ReplySummary(usage, "m"), len(embeddings), 2, shown.encode())


def test_a_list_is_cut_in_order_and_every_other_field_stays() -> None:
    parts = split(head(["a", "b\u00e9", "c"], dimensions=4), 2)
    assert [inputs(part) for part in parts] == [["a", "b\u00e9"], ["c"]]
    assert all(bytes(part.fields["dimensions"]) == b"4" for part in parts)


@pytest.mark.parametrize("given", ["one text", ["a", "b"], [1, 2]])
def test_what_fits_stays_one_request(given: object) -> None:
    whole = head(given)
    assert split(whole, 2) == [whole]
    assert split(whole, 0) == [whole]


def test_a_list_of_too_many_bytes_is_cut_and_tokens_of_one_text_are_not() -> None:
    long, short = "x" * 400_000, "y"
    assert [inputs(part) for part in split(head([long, short, long, short]), 0)] == [
        [long, short],
        [long, short],
    ]
    tokens = head(list(range(200_000)))
    assert split(tokens, 2) == [tokens]


def test_answers_are_joined_with_their_bytes_and_their_counts() -> None:
    first, second = Usage(in_fresh=3, in_image=1), Usage(in_fresh=4, source=UsageSource.ESTIMATED)
    joined = join([vectors(first, "[0.10,1e-7]", "[1,2]"), vectors(second, '"AAAA"')])
    assert b'"embedding":[0.10,1e-7]' in joined.shown
    answer = json.loads(joined.shown)
    assert [item["index"] for item in answer["data"]] == [0, 1, 2]
    assert answer["usage"] == {"prompt_tokens": 7, "total_tokens": 7}
    assert joined.count == 3
    assert joined.summary.usage == Usage(in_fresh=7, in_image=1, source=UsageSource.ESTIMATED)


def test_vectors_that_came_in_another_order_are_put_in_theirs() -> None:
    shown = b'{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}],"model":null,"usage":{}}'
    mixed = Vectors(ReplySummary(), 2, 1, shown)
    answer = json.loads(join([mixed, mixed]).shown)
    assert [item["embedding"] for item in answer["data"]] == [[1], [2], [1], [2]]


def test_numbers_of_a_host_that_knows_no_base64_are_encoded_when_that_was_asked() -> None:
    body = b'{"object":"list", "data":[{"index":0, "odd":1.50, "embedding":[0.5, -2]}], "model":"m"}'
    found = OpenAiEmbedder().read(body, head("a", encoding_format="base64"), STANDARD)
    assert found.dimensions == 2
    assert found.shown.startswith(b'{"object":"list", "data":[{"index":0,"odd":1.50,')
    packed = base64.b64decode(json.loads(found.shown)["data"][0]["embedding"])
    assert struct.unpack("<2f", packed) == (0.5, -2.0)
    assert OpenAiEmbedder().read(body, head("a"), STANDARD).shown == body


def test_fields_that_a_host_refuses_are_left_out_and_named() -> None:
    written = OpenAiEmbedder().write(head("a", user="u"), "m", Quirks(rejects=("user",)))
    assert "user" not in json.loads(written.body)
    assert written.dropped == ("user",)


def test_without_one_of_the_counts_the_sum_is_not_known() -> None:
    joined = join([vectors(Usage(in_fresh=3), "[1]"), vectors(None, "[2]")])
    assert joined.summary.usage is None
    assert "usage" not in json.loads(joined.shown)


def test_mistral_is_told_the_size_by_its_own_name_in_its_place() -> None:
    asked = head("a", dimensions=256, encoding_format="float")
    assert list(json.loads(edit(asked, "n", Quirks(is_mistral=True)))) == [
        "model", "input", "output_dimension", "encoding_format",
    ]  # fmt: skip
    assert json.loads(edit(asked, "m", STANDARD))["dimensions"] == 256
