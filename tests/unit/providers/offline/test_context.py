"""Which part of a message is the question, and what may be quoted."""

from sternpost.providers.offline.context import Turn, read_material, split_blocks, split_question, units_of


def test_the_question_is_what_follows_the_marker() -> None:
    question, rest = split_question("[a.md] Cats purr. Why?\n\nQuestion: Do cats purr")

    assert question == "Do cats purr"
    assert rest.strip() == "[a.md] Cats purr. Why?"


def test_without_a_marker_the_last_paragraph_with_a_question_mark_is_the_question() -> None:
    question, _ = split_question("Do cats purr?\n\nCats are animals that purr.")

    assert question == "Do cats purr?"


def test_documents_brackets_and_headings_become_passages_with_their_source() -> None:
    text = '<document source="a.md" title="A">one</document>\n[b.md] two\n'

    passages = split_blocks(text).passages + split_blocks("# Third\nthree").passages

    assert [(passage.source, passage.text) for passage in passages] == [
        ("a.md", "one"),
        ("b.md", "two"),
        ("Third", "three"),
    ]


def test_a_markdown_link_at_the_start_of_a_line_is_not_a_source() -> None:
    split = split_blocks("[the guide](guide.md) says so")

    assert split.passages == ()


def test_instructions_are_not_quoted_when_documents_are_given() -> None:
    material = read_material(
        [Turn("system", "Answer from the documents."), Turn("user", "[a] Cats purr.\n\nDo cats purr?")]
    )

    assert [passage.source for passage in material.passages] == ["a"]


def test_the_system_message_is_quoted_when_nothing_else_is_given() -> None:
    material = read_material([Turn("system", "We open at nine."), Turn("user", "When do you open?")])

    assert [passage.text for passage in material.passages if passage.text] == ["We open at nine."]


def test_what_the_assistant_said_is_never_quoted() -> None:
    turns = [Turn("user", "Hello"), Turn("assistant", "[a] Cats bark."), Turn("user", "Do cats bark?")]

    assert not any(passage.text for passage in read_material(turns).passages)


def test_many_unclosed_documents_are_read_in_linear_time() -> None:
    split = split_blocks("<document source='x'>" * 100_000)

    assert split.passages == ()


def test_markdown_is_cut_into_sentences_items_rows_and_code() -> None:
    text = "# H\nOne. Two\nlines.\n- item\n| a | b |\n|---|---|\n```bash\nrun it\n```"

    units = list(units_of(split_blocks(text).passages))

    assert [unit.text for unit in units] == [
        "One.",
        "Two lines.",
        "item",
        "| a | b |",
        "```bash\nrun it\n```",
    ]
    assert {unit.heading for unit in units} == {"H"}
