"""Where an Anthropic request asks for caching, read as marks on the internal one; writes nothing."""

from collections.abc import Iterator, Sequence

from sternpost.contracts.chat import CacheMark, ToolDefinition
from sternpost.contracts.message import Message
from sternpost.dialects.anthropic.parts import read_blocks
from sternpost.dialects.claude.cache_control import Ttl, read_ttl, tool_marks
from sternpost.dialects.json_text.fields import Fields


def read_marks(
    fields: Fields, messages: Sequence[Message], tools: Sequence[ToolDefinition]
) -> tuple[CacheMark, ...]:
    """Find the marks on tools, on blocks of system and messages, and on blocks of results."""
    marks = tool_marks(fields, [tool.name for tool in tools])
    index = 0
    if messages and messages[0].role == "system" and fields.has("system"):
        marks += [CacheMark(0, place, ttl) for place, ttl in _marked(fields, "system")]
        index = 1
    for item in fields.items("messages"):
        width = _width(messages, index, item)
        marks += _of_message(item, messages, index, width)
        index += width
    if ttl := read_ttl(fields):  # on the whole request: its last block
        marks.append(CacheMark(len(messages) - 1, len(messages[-1].parts) - 1, ttl))
    return tuple(marks)


def _width(messages: Sequence[Message], index: int, item: Fields) -> int:
    """Return how many messages a turn became: results and the words behind them are two."""
    is_split = messages[index].role == "tool" and index + 1 < len(messages)
    if not is_split or messages[index + 1].role != "user":
        return 1
    words = [block for block in item.items("content") if block.text("type") != "tool_result"]
    return 2 if any(_parts(block) for block in words) else 1


def _parts(block: Fields) -> int:
    """Return as how many parts a block is read."""
    return len(list(read_blocks(Fields({"content": [block.values]}))))


def _of_message(item: Fields, messages: Sequence[Message], index: int, width: int) -> Iterator[CacheMark]:
    if not isinstance(item.values.get("content"), list):
        return
    if messages[index].role != "tool":
        yield from (CacheMark(index, place, ttl) for place, ttl in _marked(item, "content"))
        return
    result, word = 0, 0
    for block in item.items("content"):
        is_result = block.text("type") == "tool_result"
        ttl = read_ttl(block) or (_inner(block) if is_result else None)
        if is_result:
            if ttl:
                yield CacheMark(index, result, ttl)
            result += 1
            continue
        word += _parts(block)
        if ttl and width == 2:
            yield CacheMark(index + 1, word - 1, ttl)


def _inner(result: Fields) -> Ttl | None:
    if not isinstance(result.values.get("content"), list):
        return None
    return next((ttl for block in result.items("content") if (ttl := read_ttl(block))), None)


def _marked(owner: Fields, name: str) -> Iterator[tuple[int, Ttl]]:
    """Yield (place of the last part, ttl) of each marked block; one block may be read as several parts."""
    if not isinstance(owner.values.get(name), list):
        return
    place = -1
    for block in owner.items(name):
        place += _parts(block)
        if ttl := read_ttl(block):
            yield max(place, 0), ttl
