"""Fixtures that several kinds of tests share: one running Sternpost with a provider that fails on request."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.fake_provider import FakeProvider, start_fake_provider
from tests.support.running import RunningSternpost, run_sternpost, wait_until

# The same examples in every run: a red build means a change. HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

CONFIG = """
providers:
  lab: {{dialect: openai_chat, base_url: "{url}/v1", api_key: "lab-key"}}
  labres: {{dialect: openai_responses, base_url: "{url}/v1", api_key: "lab-key"}}
  laball: {{dialect: openai_chat, also_speaks: [openai_responses], base_url: "{url}/v1", api_key: "lab-key"}}
  labant: {{dialect: anthropic, base_url: "{url}/v1", api_key: "lab-key"}}
  dead: {{dialect: openai_chat, base_url: "http://127.0.0.1:9/v1", api_key: "x"}}
  unset: {{dialect: openai_chat, base_url: "{url}/v1", api_key: "${{NO_SUCH_VARIABLE}}"}}
routes:
  steady:
    targets: [{{model: dead/m1}}, {{model: lab/m1}}]
  twofold:
    targets: [{{model: laball/m1}}, {{model: labres/m1}}]
  onward:
    targets: [{{model: labres/fault-failed}}, {{model: labant/m1}}]
  fast:
    targets: [{{model: lab/m1}}]
    timeouts: {{first_token_s: 1.0, idle_s: 1.0, total_s: 5.0}}
prices:
  - {{model: lab/m1, input_usd: "1.00", cache_read_usd: "0.10", output_usd: "2.00"}}
  - {{model: labres/m1, input_usd: "1.00", cache_read_usd: "0.10", output_usd: "2.00"}}
  - {{model: labant/m1, input_usd: "3.00", output_usd: "15.00"}}
limits:
  - {{scope: model, name: lab/limited, requests_per_minute: 2}}
"""


@pytest.fixture(scope="session")
def provider() -> Iterator[FakeProvider]:
    with start_fake_provider() as fake:
        yield fake


@pytest.fixture(scope="session")
def sternpost_server(
    tmp_path_factory: pytest.TempPathFactory, provider: FakeProvider
) -> Iterator[RunningSternpost]:
    """One Sternpost for all tests that do not stop or break it."""
    home = tmp_path_factory.mktemp("sternpost") / "home"
    with run_sternpost(home, config=CONFIG.format(url=provider.url)) as running:
        wait_until(lambda: running.request("GET", "/api/traces?limit=1")[0] == 200, what="the trace tables")
        yield running
