"""The example application answers from the docs: its own code and the offline answerer, no server."""

import asyncio
import importlib.util
import json
import tomllib
from collections import Counter
from types import ModuleType
from typing import Any

import pytest

from sternpost.contracts.upstream import UpstreamRequest
from sternpost.providers.offline.client import OfflineClient
from tests.docs.pages import ROOT

FOLDER = ROOT / "examples" / "docs_bot"
URL = "http://offline.invalid/v1/chat/completions"


@pytest.fixture(scope="module")
def app() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_bot", FOLDER / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sessions() -> list[dict[str, Any]]:
    return tomllib.loads((FOLDER / "questions.toml").read_text(encoding="utf-8"))["sessions"]


def play_all(app: ModuleType, model: str) -> Counter[str]:
    """Ask every question and count the verdicts."""

    class DirectBot(app.Bot):
        def chat(self, messages: list[dict[str, str]], *, is_stream: bool) -> str:
            body = json.dumps({"model": model, "messages": messages}).encode()
            return asyncio.run(_ask(body))

    library = app.Library()
    verdicts: Counter[str] = Counter()
    for session in sessions():
        bot = DirectBot(None, library, model)
        verdicts.update(app.judge(turn, bot.answer(turn["ask"])) for turn in session["turns"])
    return verdicts


async def _ask(body: bytes) -> str:
    reply = await OfflineClient().send(UpstreamRequest("POST", URL, {}, body, 5.0, 60.0))
    return json.loads(await reply.read(1_000_000))["choices"][0]["message"]["content"]


def good(verdicts: Counter[str]) -> int:
    return verdicts["right"] + verdicts["don't know, rightly"]


def test_the_questions_are_many_and_some_cannot_be_answered() -> None:
    turns = [turn for session in sessions() for turn in session["turns"]]

    assert 55 <= len(turns) <= 70
    assert 8 <= sum("expect" not in turn for turn in turns) <= 16
    assert all(2 <= len(session["turns"]) <= 5 for session in sessions())


def test_the_docs_answer_most_questions_and_the_large_answerer_is_better(app: ModuleType) -> None:
    large, small = play_all(app, "extract-large"), play_all(app, "extract-small")

    asked = large.total()
    assert good(large) >= 0.75 * asked, large  # 55 of 64 when the questions were written
    assert good(large) >= good(small) + 0.1 * asked, small  # 38 of 64


def test_the_application_stays_under_150_lines() -> None:
    assert (FOLDER / "app.py").read_text(encoding="utf-8").count("\n") < 150
