"""Log-probabilities as OpenAI writes them, in chat and in Responses alike; which tokens belongs to others."""

from collections.abc import Iterable, Mapping, Sequence

from sternpost.contracts.chat import TokenLogprob
from sternpost.contracts.message import Json


def read_logprobs(entries: Json) -> tuple[TokenLogprob, ...]:
    """Read an array of tokens; what is none is left out."""
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return ()
    read = (_read(entry) for entry in entries)
    return tuple(token for token in read if token is not None)


def _read(entry: Json) -> TokenLogprob | None:
    if not isinstance(entry, Mapping):
        return None
    token, logprob, spelled = entry.get("token"), entry.get("logprob"), entry.get("bytes")
    if not isinstance(token, str) or isinstance(logprob, bool) or not isinstance(logprob, int | float):
        return None
    return TokenLogprob(token, float(logprob), read_logprobs(entry.get("top_logprobs")), _bytes(spelled))


def _bytes(spelled: Json) -> bytes | None:
    if not isinstance(spelled, Sequence) or isinstance(spelled, str):
        return None
    numbers = [number for number in spelled if type(number) is int and 0 <= number < 256]
    return bytes(numbers) if len(numbers) == len(spelled) else None


def read_choice_logprobs(logprobs: Json) -> tuple[TokenLogprob, ...]:
    """Read `choices[].logprobs` of chat: tokens of the content, else those of a refusal."""
    if not isinstance(logprobs, Mapping):
        return ()
    return read_logprobs(logprobs.get("content")) or read_logprobs(logprobs.get("refusal"))


def write_logprobs(tokens: Iterable[TokenLogprob]) -> list[Json]:
    return [{**_written(token), "top_logprobs": [_written(other) for other in token.top]} for token in tokens]


def _written(token: TokenLogprob) -> dict[str, Json]:
    spelled = token.token.encode() if token.token_bytes is None else token.token_bytes
    return {"token": token.token, "logprob": token.logprob, "bytes": list(spelled)}
