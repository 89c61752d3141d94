"""`trace`, `tool` and `retrieval`: what an application writes around its own code."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Generic, Self, TypeVar, overload

from sternpost.sdk.instrument import instrument
from sternpost.sdk.records import AttributeValue
from sternpost.sdk.span import ActiveSpan, Owner, Place, Shape, find_place
from sternpost.sdk.values import json_text

F = TypeVar("F", bound=Callable[..., object])
S = TypeVar("S", bound=ActiveSpan)


class _Scope(Generic[S]):
    """A span as a `with` or `async with` block."""

    def __init__(self, start: Callable[[], S]) -> None:
        self._start = start
        self._entered: list[tuple[S, ExitStack]] = []

    def __enter__(self) -> S:
        span = self._start()
        stack = ExitStack()
        stack.callback(span.finish)
        stack.enter_context(span.active())
        self._entered.append((span, stack))
        return span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        span, stack = self._entered.pop()
        if error is not None:
            span.set_error(error)
        stack.close()

    async def __aenter__(self) -> S:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, place)


class SpanScope(_Scope[ActiveSpan]):
    """What `trace(...)` and `tool(...)` return: a block, or a decorator."""

    def __init__(
        self, shape: Callable[[str], Shape], name: str, owner: Owner, traceparent: str, *, is_captured: bool
    ) -> None:
        super().__init__(lambda: ActiveSpan(shape(name), find_place(owner, traceparent)))
        self._shape = shape
        self._name = name
        self._owner = owner
        self._traceparent = traceparent
        self._is_captured = is_captured

    def __call__(self, function: F) -> F:
        """Trace each run of a function: its arguments, what it returns or raises, its time."""
        shape = self._shape(self._name or getattr(function, "__name__", type(function).__name__))
        return instrument(
            function,
            lambda: ActiveSpan(shape, find_place(self._owner, self._traceparent)),
            is_captured=self._is_captured,
        )


@overload
def trace(target: F, /) -> F: ...
@overload
def trace(
    target: str = "",
    /,
    *,
    session_id: str = "",
    user_id: str = "",
    tags: Sequence[str] = (),
    attributes: Mapping[str, AttributeValue] | None = None,
    capture: bool = True,
    traceparent: str = "",
) -> SpanScope: ...
def trace(
    target: Callable[..., object] | str = "",
    /,
    *,
    session_id: str = "",
    user_id: str = "",
    tags: Sequence[str] = (),
    attributes: Mapping[str, AttributeValue] | None = None,
    capture: bool = True,
    traceparent: str = "",
) -> object:
    """Trace a function or a block: `@trace`, `@trace("name")`, `with trace("name") as span:`.

    session_id, user_id, tags: hold for every span inside, and for gateway calls sent with `headers()`.
    capture: False leaves arguments and results out. traceparent: continues a trace begun elsewhere.
    """
    fixed = dict(attributes or {})
    owner = Owner(session_id, user_id, tuple(tags))

    def shape(name: str) -> Shape:
        return Shape(name or "trace", attributes=fixed)

    if callable(target):
        return SpanScope(shape, "", owner, traceparent, is_captured=capture)(target)
    return SpanScope(shape, target, owner, traceparent, is_captured=capture)


@overload
def tool(target: F, /) -> F: ...
@overload
def tool(
    target: str = "",
    /,
    *,
    arguments: Mapping[str, object] | None = None,
    call_id: str = "",
    capture: bool = True,
) -> SpanScope: ...
def tool(
    target: Callable[..., object] | str = "",
    /,
    *,
    arguments: Mapping[str, object] | None = None,
    call_id: str = "",
    capture: bool = True,
) -> object:
    """Trace the run of a tool: `@tool`, `@tool("search")`, `with tool("search", arguments={...}) as call:`.

    arguments: what the model asked with, for the block form. call_id: the id of the model's tool call.
    """

    def shape(name: str) -> Shape:
        facts: dict[str, AttributeValue] = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
        if arguments is not None:
            facts["gen_ai.tool.call.arguments"] = json_text(arguments)
        if call_id:
            facts["gen_ai.tool.call.id"] = call_id
        return Shape(
            f"execute_tool {name}",
            attributes=facts,
            input_key="gen_ai.tool.call.arguments",
            output_key="gen_ai.tool.call.result",
        )

    if callable(target):
        return SpanScope(shape, "", Owner(), "", is_captured=capture)(target)
    return SpanScope(shape, target, Owner(), "", is_captured=capture)


class RetrievalSpan(ActiveSpan):
    """An open retrieval; `add` each document that was found, best first."""

    def __init__(self, shape: Shape, place: Place) -> None:
        super().__init__(shape, place)
        self._documents: list[dict[str, object]] = []

    def add(
        self,
        content: str,
        *,
        id: str = "",  # noqa: A002  # the name that the OpenTelemetry attribute has
        score: float | None = None,
        title: str = "",
        uri: str = "",
    ) -> Self:
        """Record one document."""
        document = {"id": id, "score": score, "content": content, "title": title, "uri": uri}
        self._documents.append({key: value for key, value in document.items() if value not in ("", None)})
        return self

    def finish(self) -> None:
        self.set_attribute("gen_ai.retrieval.documents", self._documents)
        super().finish()


def retrieval(query: str, *, source: str = "", top_k: int | None = None) -> _Scope[RetrievalSpan]:
    """Trace a search: `with retrieval(question, source="docs") as found: found.add(text, id=..., score=...)`.

    source: which index or collection was searched. top_k: how many documents were asked for.
    """
    facts: dict[str, AttributeValue] = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.query.text": query,
    }
    if source:
        facts["gen_ai.data_source.id"] = source
    if top_k is not None:
        facts["gen_ai.request.top_k"] = top_k
    shape = Shape(f"retrieval {source}".strip(), kind="client", attributes=facts)
    return _Scope(lambda: RetrievalSpan(shape, find_place(Owner())))
