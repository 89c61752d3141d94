"""Finds the question and the quotable text in the messages of a request; does not rank anything.

What counts as quotable text, in any message but the assistant's:

1. `<document source="name" title="...">text</document>`
2. blocks that start with `[name]` at the beginning of a line
3. Markdown sections; the heading is the source
4. the result of a tool
5. when none of these is there: the paragraphs of the system message, and those before the question
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sternpost.providers.offline.words import sentences

TOOL_SOURCE = "tool result"
_ATTRIBUTE = re.compile(r'(\w+)\s*=\s*"([^"<>]*)"')
_BRACKETED = re.compile(r"^\[([^\]\n]{1,200})\](?!\()[ \t]*", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]+(\S[^\n]*)$", re.MULTILINE)
_MARKER = re.compile(r"^[ \t]*(?:user )?question[ \t]*:", re.MULTILINE | re.IGNORECASE)
_LIST_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+")
_TABLE_RULE = re.compile(r"^[|:\- ]+$")


@dataclass(frozen=True, slots=True)
class Turn:
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class PassThroughBody:
    source: str  # what is put in brackets after a quotation; empty: none is known
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Material:
    question: str
    previous_question: str
    passages: tuple[PassThroughBody, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest thing that is quoted: a sentence, a list item, a table row or a block of code."""

    text: str
    heading: str
    source: str
    passage: int
    position: int  # within its passage
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class _Split:
    passages: tuple[PassThroughBody, ...]
    rest: str


def read_material(turns: Sequence[Turn]) -> Material:
    """Find the last question and everything that may be quoted."""
    asked = [at for at, turn in enumerate(turns) if turn.role == "user"]
    if not asked:
        return Material("", "", ())
    blocks: list[PassThroughBody] = []
    plain: list[PassThroughBody] = []
    questions: list[str] = []
    for at, turn in enumerate(turns):
        if turn.role == "assistant":
            continue
        if turn.role == "tool":
            blocks.append(PassThroughBody(TOOL_SOURCE, "", turn.text))
            continue
        question, around = split_question(turn.text) if turn.role == "user" else ("", turn.text)
        if question and at <= asked[-1]:
            questions.append(question)
        split = split_blocks(around)
        blocks.extend(split.passages)
        plain.append(PassThroughBody("", "", split.rest))
    previous = questions[-2] if len(questions) > 1 else ""
    return Material(questions[-1] if questions else "", previous, tuple(blocks or plain))


def split_question(text: str) -> tuple[str, str]:
    """Return the question of a user message, and the message without it.

    The question is what follows `Question:`; otherwise the last paragraph that ends with a question
    mark; otherwise the last paragraph. Paragraphs inside a document are not looked at.
    """
    documents, outside = _cut_documents(text)
    if markers := list(_MARKER.finditer(outside)):
        question, rest = outside[markers[-1].end() :].strip(), outside[: markers[-1].start()]
    else:
        paragraphs = [part for part in outside.split("\n\n") if part.strip()]
        if not paragraphs:
            return "", text
        asking = [at for at, part in enumerate(paragraphs) if part.rstrip().endswith("?")]
        chosen = asking[-1] if asking else len(paragraphs) - 1
        question = paragraphs.pop(chosen).strip()
        rest = "\n\n".join(paragraphs)
    return question, "\n\n".join([*documents, rest])


def split_blocks(text: str) -> _Split:
    """Split a text into passages by the conventions above, and what belongs to none."""
    documents, rest = _cut_documents(text)
    found = [_read_document(document) for document in documents]
    for pattern in (_BRACKETED, _HEADING):
        marks = list(pattern.finditer(rest))
        if not marks:
            continue
        ends = [mark.start() for mark in marks[1:]] + [len(rest)]
        for mark, end in zip(marks, ends, strict=True):
            name = mark.group(1).strip()
            title = name if pattern is _HEADING else ""
            found.append(PassThroughBody(name, title, rest[mark.end() : end].strip()))
        rest = rest[: marks[0].start()]
    return _Split(tuple(passage for passage in found if passage.text), rest.strip())


def _cut_documents(text: str) -> tuple[list[str], str]:
    """Take out `<document>` elements by linear search: a pattern with `.*?` is quadratic on hostile text."""
    documents: list[str] = []
    outside: list[str] = []
    at = 0
    while (start := text.find("<document", at)) >= 0:
        end = text.find("</document>", start)
        if end < 0:
            break
        outside.append(text[at:start])
        at = end + len("</document>")
        documents.append(text[start:at])
    outside.append(text[at:])
    return documents, "".join(outside)


def _read_document(element: str) -> PassThroughBody:
    tag, _, body = element.partition(">")
    attributes = dict(_ATTRIBUTE.findall(tag))
    title = attributes.get("title", "")
    source = attributes.get("source") or attributes.get("id") or title
    return PassThroughBody(source, title, body.removesuffix("</document>").strip())


def units_of(passages: Iterable[PassThroughBody]) -> Iterator[Unit]:
    """Cut passages into the units that can be quoted."""
    for index, passage in enumerate(passages):
        heading = passage.title
        for position, (kind, text) in enumerate(_pieces(passage.text)):
            if kind == "heading":
                heading = f"{passage.title} {text}".strip()
                continue
            yield Unit(text, heading, passage.source, index, position, is_code=kind == "code")


def _pieces(markdown: str) -> Iterator[tuple[str, str]]:
    paragraph: list[str] = []
    fence: list[str] | None = None
    for line in [*markdown.splitlines(), ""]:
        if fence is not None:
            if line.lstrip().startswith("```"):
                yield "code", "\n".join([*fence, "```"])
                fence = None
            else:
                fence.append(line)
            continue
        is_break = not line.strip() or line.lstrip().startswith(("#", "|", "```")) or _LIST_ITEM.match(line)
        if is_break and paragraph:
            yield from (("text", sentence) for sentence in sentences(" ".join(paragraph)))
            paragraph = []
        if line.lstrip().startswith("```"):
            fence = [line.strip()]
        elif heading := _HEADING.match(line):
            yield "heading", heading.group(1)
        elif line.lstrip().startswith("|"):
            if not _TABLE_RULE.match(line.strip()):
                yield "text", line.strip()
        elif line.strip():
            paragraph.append(_LIST_ITEM.sub("", line).strip())
    if fence:
        yield "code", "\n".join([*fence, "```"])
