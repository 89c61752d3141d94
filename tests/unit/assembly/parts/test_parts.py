"""Capabilities are found by looking; each says what the rest of Sternpost needs to know of it."""

from pathlib import Path

from sternpost.assembly.parts import plugs

CAPABILITIES = Path(__file__).parents[4] / "src" / "sternpost" / "capabilities"


def test_each_capability_plugs_in_under_its_own_name() -> None:
    folders = {path.name for path in CAPABILITIES.iterdir() if (path / "__init__.py").exists()}
    assert [plug.name for plug in plugs()] == sorted(folders)


def test_each_plug_says_in_a_sentence_what_it_is() -> None:
    for plug in plugs():
        assert plug.summary.endswith("."), plug.name
        assert plug.serve is not None, plug.name
