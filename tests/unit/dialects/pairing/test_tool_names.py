import re

from sternpost.contracts.chat import ChatReply, ToolStart
from sternpost.contracts.message import Message, ToolCallPart
from sternpost.dialects.pairing.tool_names import Restorer, ToolNames, restore_reply


def test_a_long_or_dotted_name_is_written_the_same_way_each_time_and_comes_back() -> None:
    names = ToolNames(64)
    long, dotted = "mcp__server__" + "x" * 80, "files.read"
    written = [names.write(long), names.write(dotted), names.write("plain_1")]
    assert [ToolNames(64).write(name) for name in (long, dotted, "plain_1")] == written
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in written)
    assert written[2] == "plain_1"
    assert names.renamed == {written[0]: long, written[1]: dotted}
    assert Restorer(names.renamed).event(ToolStart(0, "id", written[0])) == ToolStart(0, "id", long)


def test_two_names_with_one_clean_form_stay_apart() -> None:
    names = ToolNames(64)
    assert names.write("a.b") != names.write("a:b")


def test_a_reply_gets_the_callers_names_back() -> None:
    reply = ChatReply("i", "m", (Message("assistant", (ToolCallPart("w", "{}", "1"),)),), None)
    assert restore_reply(reply, {"w": "files.read"}).choices[0].parts == (
        ToolCallPart("files.read", "{}", "1"),
    )
