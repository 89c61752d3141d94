"""The garbage collector is paused for a piece of work and is afterwards as it was."""

import gc

import pytest

from sternpost.base.collection import collection_paused


def test_nothing_is_collected_inside() -> None:
    seen: list[str] = []

    def note(phase: str, _: object) -> None:
        seen.append(phase)

    gc.collect()
    gc.callbacks.append(note)
    try:
        with collection_paused():
            kept = [[number] for number in range(50_000)]
            inside = list(seen)
    finally:
        gc.callbacks.remove(note)
    assert (len(kept), inside) == (50_000, [])


def test_it_is_on_again_after_a_failure_and_stays_off_where_it_was() -> None:
    with pytest.raises(ValueError, match="broken"), collection_paused():
        raise ValueError("broken")
    assert gc.isenabled()
    with collection_paused(), collection_paused():
        pass
    assert gc.isenabled()
    gc.disable()
    try:
        with collection_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
