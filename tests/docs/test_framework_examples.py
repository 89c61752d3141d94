"""The framework examples run as their READMEs say, and leave one trace with the tool, session and user."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT, blocks_of
from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost

UV = Path(sys.executable).with_name("uv")
EXAMPLES = {
    "langchain_agent": "langchain-example",
    "llama_index_agent": "llama-index-example",
    "openai_agents": "openai-agents-example",
    "pydantic_ai": "pydantic-ai-example",
}
every_example = pytest.mark.parametrize(("folder", "session"), EXAMPLES.items())


def run(folder: str, sternpost: RunningSternpost, *words: str, **more: str) -> str:
    """Run an example in its own locked environment; what it printed."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
        "OPENAI_BASE_URL": f"{sternpost.base_url}/v1",
        "OPENAI_API_KEY": sternpost.key,
        **more,
    }
    script = ROOT / "examples" / folder / "app.py"
    command = [str(UV), "run", "--quiet", "--locked", "--python", sys.executable, "--script", str(script)]
    done = subprocess.run(
        [*command, *words], env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def gateway_spans(sternpost: RunningSternpost, printed: str, *, calls: int) -> list[dict[str, Any]]:
    """Return the calls of the trace that an example printed, the earliest first."""
    found = sternpost.trace(printed.rsplit("trace: ", 1)[1].strip(), spans=calls)
    spans = [span for span in found["spans"] if span["type"] == "gateway"]
    return sorted(spans, key=lambda span: span["started_at"])


@pytest.mark.journey
@every_example
def test_an_example_answers_by_its_tool_without_a_providers_key(
    sternpost_server: RunningSternpost, folder: str, session: str
) -> None:
    printed = run(folder, sternpost_server, "How is the weather in Oslo?")
    first, second = gateway_spans(sternpost_server, printed, calls=2)
    call = first["output"][0]["parts"][-1]
    trace = sternpost_server.get(f"/api/traces/{printed.rsplit('trace: ', 1)[1].strip()}")["trace"]

    assert "4 degrees and snow" in printed
    assert (call["type"], call["name"], json.loads(call["arguments"])) == (
        "tool_call",
        "weather",
        {"city": "Oslo"},
    )
    assert "4 degrees and snow" in str(second["input"][-1]["parts"])
    assert (trace["session_id"], trace["user_id"]) == (session, "ada")


@pytest.mark.journey
def test_an_example_works_with_a_model_of_another_vendor(
    sternpost_server: RunningSternpost, provider: FakeProvider
) -> None:
    provider.reset()
    printed = run("openai_agents", sternpost_server, MODEL="labant/m1")
    assert "A forklift lifts" in printed
    assert len(gateway_spans(sternpost_server, printed, calls=2)) == 2
    assert [request["path"] for request in provider.requests()] == ["/v1/messages"] * 2


def test_the_page_on_frameworks_shows_the_examples_as_they_are() -> None:
    page = ROOT / "docs" / "how-to" / "frameworks.md"
    sources = [(ROOT / "examples" / folder / "app.py").read_text(encoding="utf-8") for folder in EXAMPLES]
    shown = [block.text for block in blocks_of(page) if block.language == "python"]
    assert len(shown) == len(EXAMPLES)
    assert [text for text in shown if not any(text in source for source in sources)] == []
