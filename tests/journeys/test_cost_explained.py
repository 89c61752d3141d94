"""A call through the gateway, and then its cost explained on the command line and over the API."""

import json
import subprocess
import sys
from decimal import Decimal

import pytest

from tests.support.running import RunningSternpost


def sternpost(server: RunningSternpost, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sternpost.cli.main", *arguments, "--home", str(server.home)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def ask(server: RunningSternpost, model: str) -> tuple[str, str]:
    """Make a call; return its trace, once it can be read, and its gateway span."""
    body = {"model": model, "messages": [{"role": "user", "content": "What does a forklift lift?"}]}
    status, headers, _ = server.request("POST", "/v1/chat/completions", body)
    assert status == 200
    trace_id = headers["x-sternpost-trace-id"]
    spans = server.trace(trace_id, spans=2)["spans"]
    return trace_id, next(span["span_id"] for span in spans if span["type"] == "gateway")


@pytest.mark.parametrize("name", ["span", "trace"])
def test_cost_is_explained_by_span_or_trace_and_the_lines_add_up(
    sternpost_server: RunningSternpost, name: str
) -> None:
    trace_id, span_id = ask(sternpost_server, "lab/m1?cached=10")
    done = sternpost(sternpost_server, "cost", "explain", span_id if name == "span" else trace_id, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert sum(Decimal(line["cost_usd"]) for line in found["lines"]) == Decimal(found["cost_usd"])
    # lab/m1 costs $1 for input and $0.10 for cached input: 10 tokens x $0.90 per million
    assert found["cache"]["saved_usd"] == "0.000009"
    assert found["today"]["is_same"] is True


def test_explanation_for_people_shows_the_arithmetic(sternpost_server: RunningSternpost) -> None:
    _, span_id = ask(sternpost_server, "lab/m1?cached=10")
    done = sternpost(sternpost_server, "cost", "explain", span_id)
    assert "input read from the cache: 10 tokens x $0.1 per million = $0.000001" in done.stdout
    assert "price row     lab/m1, found among your own prices in sternpost.yaml" in done.stdout


def test_unknown_cost_ends_with_3_and_says_what_to_do(sternpost_server: RunningSternpost) -> None:
    _, span_id = ask(sternpost_server, "lab/m7")
    done = sternpost(sternpost_server, "cost", "explain", span_id)
    assert done.returncode == 3
    assert "what to do    Write its price under `prices:`" in done.stdout


def test_wrong_total_of_the_provider_is_flagged_on_the_span(sternpost_server: RunningSternpost) -> None:
    trace_id, span_id = ask(sternpost_server, "lab/fault-wrong-usage")
    span = next(one for one in sternpost_server.trace(trace_id)["spans"] if one["span_id"] == span_id)
    assert span["attributes"]["usage_is_mismatch"] is True
    assert json.loads(span["attributes"]["provider_usage"])["total_tokens"] > 1000


@pytest.mark.parametrize("span", ["nonsense", "0123456789abcdef"])
def test_span_that_is_not_there_is_wrong_use(sternpost_server: RunningSternpost, span: str) -> None:
    done = sternpost(sternpost_server, "cost", "explain", span)
    assert done.returncode == 2
    assert "span" in done.stderr


def test_prices_of_a_model_are_listed(sternpost_server: RunningSternpost) -> None:
    done = sternpost(sternpost_server, "cost", "prices", "anthropic/claude-sonnet-4-5", "--json")
    rates = {one["condition"]: one["rates_usd"] for one in json.loads(done.stdout)["rates"]}
    assert rates["standard"]["in_fresh"] == "3"
