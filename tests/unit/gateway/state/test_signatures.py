"""The memory of signatures gives each project its own back, once, and stays bounded."""

from sternpost.base.ids import ProjectId
from sternpost.contracts.message import Message, ReasoningPart, TextPart, ToolCallPart
from sternpost.gateway.state.signatures import CallSignatures

OURS, THEIRS = ProjectId("ours"), ProjectId("theirs")
CALL = ToolCallPart("weather", "{}", "c1")
TURN = (Message("user", (TextPart("hi"),)), Message("assistant", (TextPart("a"), CALL)))


def test_a_lost_signature_is_put_in_front_of_its_call() -> None:
    memory = CallSignatures()
    memory.remember(OURS, {"c1": "sealed"})
    user, assistant = memory.restore(OURS, TURN)
    assert user == TURN[0]
    assert assistant.parts == (TextPart("a"), ReasoningPart(signature="sealed"), CALL)


def test_a_signature_that_was_kept_is_not_doubled() -> None:
    memory = CallSignatures()
    memory.remember(OURS, {"c1": "sealed"})
    kept = (Message("assistant", (ReasoningPart("Hm.", signature="sealed"), CALL)),)
    assert memory.restore(OURS, kept) == kept


def test_no_project_sees_the_signatures_of_another() -> None:
    memory = CallSignatures()
    memory.remember(THEIRS, {"c1": "sealed"})
    assert memory.restore(OURS, TURN) == TURN


def test_the_one_longest_unused_is_forgotten_first() -> None:
    memory = CallSignatures(max_calls=2)
    memory.remember(OURS, {"c1": "one", "c2": "two"})
    memory.restore(OURS, TURN)  # uses c1
    memory.remember(OURS, {"c3": "three", "c4": "x" * 200_000})
    assert memory.restore(OURS, TURN) != TURN
    assert memory.restore(OURS, (Message("assistant", (ToolCallPart("w", "{}", "c2"),)),))[0].parts == (
        ToolCallPart("w", "{}", "c2"),
    )
