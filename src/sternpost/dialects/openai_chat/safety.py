"""Verdicts of a provider's filter in Azure's words, which are the only ones chat completions have.

Source: https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter. It decides nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sternpost.contracts.chat import SafetyResult
from sternpost.contracts.message import Json


def read_prompt_results(results: Json) -> tuple[SafetyResult, ...]:
    """Read `prompt_filter_results`: one entry per prompt."""
    if not isinstance(results, Sequence) or isinstance(results, str):
        return ()
    entries = [entry.get("content_filter_results") for entry in results if isinstance(entry, Mapping)]
    return tuple(result for entry in entries for result in read_results(entry, is_prompt=True))


def read_results(results: Json, *, is_prompt: bool = False) -> Iterator[SafetyResult]:
    """Read `content_filter_results`: category -> {filtered, severity} or {filtered, detected}."""
    if not isinstance(results, Mapping):
        return
    for category, verdict in results.items():
        if isinstance(verdict, Mapping) and "filtered" in verdict:
            severity = verdict.get("severity")
            if not isinstance(severity, str):
                severity = "detected" if verdict.get("detected") is True else ""
            yield SafetyResult(category, severity, verdict.get("filtered") is True, is_prompt)


def write_results(results: Iterable[SafetyResult]) -> dict[str, Json]:
    written: dict[str, Json] = {}
    for result in results:
        verdict: dict[str, Json] = {"filtered": result.is_blocked}
        if result.severity:
            verdict["severity"] = result.severity
        written[result.category] = verdict
    return written


def write_safety(results: Sequence[SafetyResult]) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return what stands on the reply and what stands on its choice."""
    prompt = write_results(result for result in results if result.is_prompt)
    answer = write_results(result for result in results if not result.is_prompt)
    on_reply: dict[str, Json] = {}
    if prompt:
        on_reply["prompt_filter_results"] = [{"prompt_index": 0, "content_filter_results": prompt}]
    return on_reply, {"content_filter_results": answer} if answer else {}
