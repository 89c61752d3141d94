"""Wraps a function so that each run is a span: plain, async, generators of both kinds."""

import functools
import inspect
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

from sternpost.sdk.span import ActiveSpan

F = TypeVar("F", bound=Callable[..., object])
_MAX_PIECES = 10_000  # of a generator's output that are kept, the last ones


class Instrument:
    """One wrapped function; `open_span` is asked anew at each run."""

    def __init__(
        self, function: Callable[..., object], open_span: Callable[[], ActiveSpan], *, is_captured: bool
    ) -> None:
        self._function = function
        self._open_span = open_span
        self._is_captured = is_captured
        self._signature = _signature(function)

    @contextmanager
    def run(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Generator[ActiveSpan]:
        """Open the span, record the arguments; close it whatever happens."""
        span = self._open_span()
        if self._is_captured:
            span.set_input(self._arguments(args, kwargs))
        try:
            yield span
        except GeneratorExit:
            span.set_attribute("sternpost.stopped_early", True)
            raise
        except BaseException as error:
            span.set_error(error)
            raise
        finally:
            span.finish()

    def returned(self, span: ActiveSpan, value: object) -> None:
        if self._is_captured:
            span.set_output(value)

    @contextmanager
    def collecting(self, span: ActiveSpan) -> Generator[deque[object]]:
        """Take what a generator yields; it is recorded as the output, also of one that breaks."""
        pieces: deque[object] = deque(maxlen=_MAX_PIECES if self._is_captured else 0)
        try:
            yield pieces
        finally:
            self.returned(span, _joined(pieces))

    def _arguments(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> object:
        if self._signature is None:
            return [*args, dict(kwargs)]
        try:
            bound = self._signature.bind(*args, **kwargs).arguments
        except TypeError:  # the function itself is about to say so
            return [*args, dict(kwargs)]
        return {name: value for name, value in bound.items() if name not in ("self", "cls")}


def _signature(function: Callable[..., object]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except ValueError:  # some built-in functions have none
        return None


def instrument(function: F, open_span: Callable[[], ActiveSpan], *, is_captured: bool) -> F:
    """Return a function of the same kind that runs inside a span."""
    work = Instrument(function, open_span, is_captured=is_captured)
    if inspect.isasyncgenfunction(function):
        wrapped = _around_async_generator(work, function)
    elif inspect.iscoroutinefunction(function):
        wrapped = _around_coroutine(work, function)
    elif inspect.isgeneratorfunction(function):
        wrapped = _around_generator(work, function)
    else:
        wrapped = _around_function(work, function)
    return cast("F", functools.wraps(function)(wrapped))


def _around_function(work: Instrument, function: Callable[..., object]) -> Callable[..., object]:
    def run(*args: object, **kwargs: object) -> object:
        with work.run(args, kwargs) as span, span.active():
            value = function(*args, **kwargs)
            work.returned(span, value)
            return value

    return run


def _around_coroutine(work: Instrument, function: Callable[..., Awaitable[object]]) -> Callable[..., object]:
    async def run(*args: object, **kwargs: object) -> object:
        with work.run(args, kwargs) as span, span.active():
            value = await function(*args, **kwargs)
            work.returned(span, value)
            return value

    return run


def _around_generator(
    work: Instrument, function: Callable[..., Generator[object, object, object]]
) -> Callable[..., object]:
    def run(*args: object, **kwargs: object) -> Generator[object, object, object]:
        with work.run(args, kwargs) as span, work.collecting(span) as pieces:
            inner = function(*args, **kwargs)
            resume: Callable[[], object] = functools.partial(next, inner)
            while True:
                try:
                    pieces.append(piece := _step(span, resume))
                except StopIteration as stop:
                    return stop.value
                try:
                    resume = functools.partial(inner.send, (yield piece))
                except GeneratorExit:
                    inner.close()
                    raise
                except BaseException as error:  # noqa: BLE001  # the wrapped one decides
                    resume = functools.partial(inner.throw, error)

    return run


def _around_async_generator(
    work: Instrument, function: Callable[..., AsyncGenerator[object, object]]
) -> Callable[..., object]:
    async def run(*args: object, **kwargs: object) -> AsyncGenerator[object, object]:
        with work.run(args, kwargs) as span, work.collecting(span) as pieces:
            inner = function(*args, **kwargs)
            resume: Callable[[], Awaitable[object]] = inner.__anext__
            while True:
                try:
                    pieces.append(piece := await _async_step(span, resume))
                except StopAsyncIteration:
                    return
                try:
                    resume = functools.partial(inner.asend, (yield piece))
                except GeneratorExit:
                    await inner.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001  # the wrapped one decides
                    resume = functools.partial(inner.athrow, error)

    return run


def _step(span: ActiveSpan, resume: Callable[[], object]) -> object:
    with span.active():  # only while the generator itself runs, not while it is suspended
        return resume()


async def _async_step(span: ActiveSpan, resume: Callable[[], Awaitable[object]]) -> object:
    with span.active():
        return await resume()


def _joined(pieces: Sequence[object]) -> object:
    """Return texts as one text: a stream of words is read as what it says."""
    texts = [piece for piece in pieces if isinstance(piece, str)]
    return "".join(texts) if len(texts) == len(pieces) else [*pieces]
