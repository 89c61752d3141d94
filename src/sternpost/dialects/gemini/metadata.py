"""What stands beside the content of a Gemini answer: log-probs, safety ratings, sources; not the content.

Source: https://ai.google.dev/api/generate-content (LogprobsResult, SafetyRating, CitationMetadata,
GroundingMetadata). Anything of another shape counts as absent: none of it may break an answer.
"""

from collections.abc import Iterator, Mapping, Sequence

from sternpost.contracts.chat import Citation, SafetyResult, TokenLogprob
from sternpost.contracts.message import Json
from sternpost.dialects.gemini.wire import WireAnswer, WireCandidate
from sternpost.dialects.json_text.fields import text_or_empty


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _objects(value: Json) -> Iterator[Mapping[str, Json]]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield item


def _whole(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_logprobs(result: Json) -> tuple[TokenLogprob, ...]:
    """Read one token per step, with the candidates it was chosen from."""
    steps = _object(result)
    tops = list(_objects(steps.get("topCandidates")))
    tokens: list[TokenLogprob] = []
    for step, chosen in enumerate(_objects(steps.get("chosenCandidates"))):
        beside = _objects(tops[step].get("candidates")) if step < len(tops) else iter(())
        tokens.append(_token(chosen, tuple(_token(one) for one in beside)))
    return tuple(tokens)


def _token(values: Mapping[str, Json], top: tuple[TokenLogprob, ...] = ()) -> TokenLogprob:
    value = values.get("logProbability")
    token = text_or_empty(values.get("token"))
    return TokenLogprob(token, float(value) if isinstance(value, int | float) else 0.0, top, token.encode())


def read_safety(answer: WireAnswer) -> tuple[SafetyResult, ...]:
    """Read the ratings of the prompt and of the candidates; a blocked prompt is itself a result."""
    feedback = _object(answer.prompt_feedback)
    found = [_rating(rating, is_prompt=True) for rating in _objects(feedback.get("safetyRatings"))]
    if reason := text_or_empty(feedback.get("blockReason")):
        found.append(SafetyResult(reason, is_blocked=True, is_prompt=True))
    for candidate in answer.candidates or ():
        found += [_rating(rating, is_prompt=False) for rating in _objects(candidate.safety_ratings)]
    return tuple(found)


def _rating(values: Mapping[str, Json], *, is_prompt: bool) -> SafetyResult:
    severity = text_or_empty(values.get("severity")) or text_or_empty(values.get("probability"))
    return SafetyResult(
        text_or_empty(values.get("category")), severity, values.get("blocked") is True, is_prompt
    )


def is_prompt_blocked(answer: WireAnswer) -> bool:
    """Whether the prompt was refused: an answer with status 200 and no candidate."""
    return not answer.candidates and bool(text_or_empty(_object(answer.prompt_feedback).get("blockReason")))


def count_searches(candidate: WireCandidate, model_version: str) -> int:
    """Count what is billed for searching the web.

    Each query is, but with models before the third generation a prompt is, however many queries it led to.
    Source: https://ai.google.dev/gemini-api/docs/google-search#pricing.
    """
    queries = _object(candidate.grounding_metadata).get("webSearchQueries")
    count = len(queries) if isinstance(queries, list) else 0
    return min(1, count) if model_version.startswith(("gemini-1", "gemini-2")) else count


def read_citations(candidate: WireCandidate, text: str, choice: int) -> tuple[Citation, ...]:
    """Read sources of both kinds. text: of the choice; its bytes are what Google counts."""
    return (
        *_grounded(_object(candidate.grounding_metadata), text.encode(), choice),
        *_cited(_object(candidate.citation_metadata), choice),
    )


def _grounded(grounding: Mapping[str, Json], text: bytes, choice: int) -> Iterator[Citation]:
    sources = [_source(chunk) for chunk in _objects(grounding.get("groundingChunks"))]
    for support in _objects(grounding.get("groundingSupports")):
        segment = _object(support.get("segment"))
        start, end = _whole(segment.get("startIndex")) or 0, _whole(segment.get("endIndex"))
        for source in _chosen(support.get("groundingChunkIndices"), sources):
            yield Citation(
                title=text_or_empty(source.get("title")),
                url=text_or_empty(source.get("uri")),
                cited_text=text_or_empty(segment.get("text")),
                start=_characters(text, start),
                end=None if end is None else _characters(text, end),
                choice=choice,
            )


def _source(chunk: Mapping[str, Json]) -> Mapping[str, Json]:
    kinds = [kind for kind in ("web", "retrievedContext", "maps") if kind in chunk]
    return _object(chunk[kinds[0]]) if kinds else {}


def _chosen(indices: Json, sources: Sequence[Mapping[str, Json]]) -> Iterator[Mapping[str, Json]]:
    for index in indices if isinstance(indices, list) else ():
        if isinstance(index, int) and 0 <= index < len(sources):
            yield sources[index]


def _characters(text: bytes, size: int) -> int:
    return len(text[:size].decode("utf-8", "ignore"))


def _cited(citation: Mapping[str, Json], choice: int) -> Iterator[Citation]:
    """Read recitations; the Gemini API and Vertex AI have two names for the list."""
    for name in ("citationSources", "citations"):
        for source in _objects(citation.get(name)):
            yield Citation(
                title=text_or_empty(source.get("title")),
                url=text_or_empty(source.get("uri")),
                start=_whole(source.get("startIndex")),
                end=_whole(source.get("endIndex")),
                choice=choice,
            )
