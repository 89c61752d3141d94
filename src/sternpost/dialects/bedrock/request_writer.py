"""Writes the internal request as Converse's body; what the model can't take is named as dropped.

The model stands in the path, and so does whether it is a stream.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import CacheMark, ChatRequest
from sternpost.contracts.message import Json, Message, TextPart
from sternpost.contracts.provider import ModelFacts
from sternpost.dialects.bedrock.draft import Draft
from sternpost.dialects.bedrock.model_fields import write_betas, write_sampling_extras, write_thinking
from sternpost.dialects.bedrock.names import TIERS
from sternpost.dialects.bedrock.parts import BlockWriter
from sternpost.dialects.bedrock.tools import write_format, write_tools
from sternpost.dialects.bedrock.turns import cache_point, keeper, speak_beside_documents, write_turns
from sternpost.dialects.claude.efforts import LEAST_TOP_P
from sternpost.dialects.losses.requested import lost
from sternpost.dialects.pairing.client_tools import as_functions
from sternpost.dialects.pairing.identifiers import digest
from sternpost.dialects.pairing.turns import Marks, arrange, can_think, marks_by_part
from sternpost.dialects.protocols import WrittenRequest

_KNOWS_STATUS: Final = frozenset({"anthropic", "amazon"})
_METADATA_TEXT: Final = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}\Z")
_MOST_METADATA: Final = 16


def write_request(request: ChatRequest, *, facts: ModelFacts | None) -> WrittenRequest:
    """Raises: BadRequest for what the dialect cannot express: several choices, links, unpaired tools."""
    if request.choice_count != 1:
        raise BadRequest("n: this model gives one choice per call; send n=1 or leave it out.", param="n")
    draft = Draft(as_functions(request), facts)
    draft.dropped += request.unread
    marks = draft.marks()
    _write_messages(draft, marks)
    write_thinking(draft)
    write_tools(draft, {mark.part: mark for mark in marks if mark.message == -1})
    write_format(draft)
    _write_inference(draft)
    write_sampling_extras(draft)
    write_betas(draft)
    _write_rest(draft)
    if draft.extra:
        draft.body["additionalModelRequestFields"] = draft.extra
    dropped = tuple(dict.fromkeys(draft.dropped))
    return WrittenRequest(msgspec.json.encode(draft.body), dropped, draft.names.renamed)


def _write_messages(draft: Draft, asked: Sequence[CacheMark]) -> None:
    messages = [draft.names.rename(message) for message in draft.request.messages]
    marks = marks_by_part(messages, asked)
    system = _system(messages, marks, takes_ttl=draft.is_claude)
    if system:
        draft.body["system"] = system
    if _has_late_system(messages):
        draft.dropped.append("messages (a later system message was moved to the top)")
    turns = arrange(messages, keeper(takes_thinking=draft.is_claude), marks, draft.dropped)
    speak_beside_documents(turns, draft.dropped)
    writer = BlockWriter(knows_status=draft.maker in _KNOWS_STATUS)
    draft.body["messages"] = write_turns(turns, writer, marks, takes_ttl=draft.is_claude)
    draft.can_think = can_think(turns)


def _system(messages: Sequence[Message], marks: Marks, *, takes_ttl: bool) -> list[Json]:
    blocks: list[Json] = []
    for message in messages:
        for part in message.parts if message.role == "system" else ():
            if not (isinstance(part, TextPart) and part.content.strip()):
                continue
            blocks.append({"text": part.content})
            mark = marks.get(id(part))
            if mark is not None:
                blocks.append(cache_point(mark, takes_ttl=takes_ttl))
    return blocks


def _has_late_system(messages: Sequence[Message]) -> bool:
    first_turn = next((i for i, message in enumerate(messages) if message.role != "system"), len(messages))
    return any(message.role == "system" for message in messages[first_turn:])


def _write_inference(draft: Draft) -> None:
    request = draft.request
    config: dict[str, Json] = {}
    limit = draft.max_tokens
    if limit is not None:
        config["maxTokens"] = limit
        if limit != request.max_output_tokens:
            draft.dropped.append("max_tokens (lowered to the model's limit)")
    temperature, top_p = _sampling(draft)
    if temperature is not None:
        config["temperature"] = temperature
    if top_p is not None:
        config["topP"] = top_p
    stops: list[Json] = [text for text in request.stop if text.strip()]
    if stops:
        config["stopSequences"] = stops
        if draft.is_claude:
            draft.body["additionalModelResponseFieldPaths"] = ["/stop_sequence"]  # which of them it was
    if len(stops) < len(request.stop):
        draft.dropped.append("stop")  # stop texts of white space only are refused
    if config:
        draft.body["inferenceConfig"] = config


def _sampling(draft: Draft) -> tuple[float | None, float | None]:
    """Return temperature and top_p within Bedrock's bounds, and as the model takes them."""
    request = draft.request
    temperature, top_p = request.temperature, request.top_p
    is_fixed = draft.is_thinking and draft.is_claude
    if temperature is not None and (is_fixed or draft.rejects("temperature")):
        temperature = None
        draft.dropped.append("temperature")
    if top_p is not None and (draft.rejects("top_p") or (is_fixed and top_p < LEAST_TOP_P)):
        top_p = None
        draft.dropped.append("top_p")
    if temperature is not None and top_p is not None and draft.is_claude:
        top_p = None  # newer models refuse the two together
        draft.dropped.append("top_p")
    if temperature is not None and temperature > 1:
        draft.dropped.append("temperature (lowered to 1)")
    return (
        None if temperature is None else min(1.0, max(0.0, temperature)),
        None if top_p is None else min(1.0, max(0.0, top_p)),
    )


def _write_rest(draft: Draft) -> None:
    request, body = draft.request, draft.body
    metadata = dict(request.metadata)
    if request.end_user:
        user = request.end_user
        metadata.setdefault("user", user if _METADATA_TEXT.match(user) else digest(user))
    fitting = [
        (name, value)
        for name, value in metadata.items()
        if name and _METADATA_TEXT.match(name) and _METADATA_TEXT.match(value)
    ][:_MOST_METADATA]
    if fitting:
        body["requestMetadata"] = dict(fitting)
    if len(fitting) < len(metadata):
        draft.dropped.append("metadata")
    if request.service_tier:
        tier = TIERS.get(request.service_tier)
        if tier is None:
            draft.dropped.append("service_tier")
        elif tier:
            body["serviceTier"] = {"type": tier}
    draft.dropped += lost(request, "logprobs", "modalities", "prompt_cache_key", "verbosity")
