"""What the offline answerer quotes, and when it says that it does not know."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.providers.offline.answer import NO_TEXT, NOT_FOUND, STRENGTHS, answer
from sternpost.providers.offline.context import Turn
from sternpost.providers.offline.words import sentences, stem

DOCUMENTS = """<document source="start.md">Sternpost listens on port 4100. To start it:

```
sternpost up
```
</document>
<document source="journal.md">The journal is an append-only file. A torn tail is repaired at start.</document>
<document source="cost.md" title="Cost">An unknown price is never zero.</document>"""

LARGE, SMALL = STRENGTHS["extract-large"], STRENGTHS["extract-small"]


def ask(question: str) -> list[Turn]:
    return [Turn("user", f"{DOCUMENTS}\n\nQuestion: {question}")]


@pytest.mark.parametrize("strength", [LARGE, SMALL])
def test_the_best_sentence_is_quoted_with_its_source(strength) -> None:
    found = answer(ask("Which port does Sternpost listen on?"), strength)

    assert found.text == "Sternpost listens on port 4100. [start.md]"


@pytest.mark.parametrize("strength", [LARGE, SMALL])
def test_what_the_text_does_not_say_is_not_known(strength) -> None:
    found = answer(ask("Who painted the Mona Lisa?"), strength)

    assert (found.text, found.is_known, found.sources) == (NOT_FOUND, False, ())


def test_the_large_answerer_adds_the_code_that_a_sentence_announces() -> None:
    large, small = answer(ask("How do I start it?"), LARGE), answer(ask("How do I start it?"), SMALL)

    assert "sternpost up" in large.text
    assert "sternpost up" not in small.text


def test_the_large_answerer_reads_headings() -> None:
    assert answer(ask("What does it cost when unknown?"), LARGE).sources == ("cost.md",)


def test_a_short_question_leans_on_the_one_before() -> None:
    turns = [
        Turn("user", "What is the journal?"),
        Turn("assistant", "A file."),
        Turn("user", f"{DOCUMENTS}\n\nQuestion: And its tail?"),
    ]

    assert "torn tail" in answer(turns, LARGE).text


def test_without_any_text_it_says_that_it_is_not_a_language_model() -> None:
    assert answer([Turn("user", "Write a poem")], LARGE).text == NO_TEXT


@given(st.lists(st.sampled_from(["cats", "dogs", "purr", "bark", "often", "a b."]), min_size=1, max_size=30))
def test_every_quotation_stands_in_the_text(words: list[str]) -> None:
    text = " ".join(words)

    found = answer([Turn("system", text), Turn("user", "Do cats purr?")], LARGE)

    quoted = re.sub(r"\s+", " ", found.text)
    assert not found.is_known or all(sentence in text for sentence in sentences(quoted))


@pytest.mark.parametrize(
    "words", [("price", "prices", "priced", "pricing"), ("retry", "retries", "retried"), ("stop", "stopped")]
)
def test_forms_of_a_word_share_a_stem(words: tuple[str, ...]) -> None:
    assert len({stem(word) for word in words}) == 1
