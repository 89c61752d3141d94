"""The SDK against a real Sternpost: what happens around a call stands in the same trace as the call."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.running import RunningSternpost, wait_until

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import sternpost
from openai import OpenAI

@sternpost.tool
def lookup(city):
    return {"opens": "nine"}

with sternpost.trace("visit", session_id="s-7", user_id="ada", tags=["web"]) as span:
    with sternpost.retrieval("opening hours", source="guide", top_k=1) as found:
        found.add("The library opens at nine.", id="hours.md", score=3.5, title="Hours", uri="guide/hours.md")
    lookup("Oslo")
    messages = [{"role": "user", "content": "[hours.md] The library opens at nine.\\n\\nWhen does it open?"}]
    answer = OpenAI().chat.completions.create(
        model="offline/extract-large", messages=messages, extra_headers=sternpost.headers()
    )
    span.set_output(answer.choices[0].message.content)
sternpost.feedback(trace_id=span.trace_id, value=True, comment="thanks", user_id="ada")
assert sternpost.flush()
print(span.trace_id)
"""


def environment(server: RunningSternpost, spill: Path) -> dict[str, str]:
    return {
        **os.environ,
        "STERNPOST_BASE_URL": server.base_url,
        "STERNPOST_API_KEY": server.key,
        "STERNPOST_SPILL_FOLDER": str(spill),
        "OPENAI_BASE_URL": f"{server.base_url}/v1",
        "OPENAI_API_KEY": server.key,
    }


def run(arguments: list[str], server: RunningSternpost, spill: Path) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        env=environment(server, spill),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_retrieval_tool_call_and_feedback_are_one_trace(
    sternpost_server: RunningSternpost, tmp_path: Path
) -> None:
    trace_id = run(["-c", CODE], sternpost_server, tmp_path).strip()

    found = sternpost_server.trace(trace_id, spans=5)
    by_type: dict[str, Any] = {span["type"]: span for span in found["spans"]}
    assert by_type.keys() == {"chain", "retriever", "tool", "gateway", "attempt"}
    root = by_type["chain"]
    assert root["parent_span_id"] is None
    assert {by_type[kind]["parent_span_id"] for kind in ("retriever", "tool", "gateway")} == {root["span_id"]}
    assert found["trace"]["name"] == "visit"
    assert (found["trace"]["session_id"], found["trace"]["user_id"]) == ("s-7", "ada")
    (document,) = by_type["retriever"]["output"][0]["parts"]
    assert (document["id"], document["score"]) == ("hours.md", 3.5)

    def scores() -> Any:
        return sternpost_server.get(f"/api/traces/{trace_id}")["trace"]["scores"]

    (chip,) = wait_until(scores, what="the feedback")
    assert (chip["name"], chip["value"]) == ("user_feedback", 1.0)


def test_the_example_application_runs_and_every_answer_is_a_trace(
    sternpost_server: RunningSternpost, tmp_path: Path
) -> None:
    app = str(ROOT / "examples" / "docs_bot" / "app.py")

    printed = run([app, "--pause", "0"], sternpost_server, tmp_path)

    assert printed.count("right") >= 48  # 55 of 64 when the questions were written

    def sessions() -> Any:
        page = sternpost_server.get("/api/traces?limit=200&filter=tag:demo")["items"]
        whole = [item for item in page if item["span_count"] == 5 and item["scores"]]
        return whole if len(whole) == 64 else None

    items = wait_until(sessions, timeout_s=30, what="64 whole traces with their feedback")
    assert {item["cost_status"] for item in items} == {"free"}
    assert len({item["session_id"] for item in items}) == 18
