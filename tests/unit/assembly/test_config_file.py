"""`sternpost.yaml` is read with errors that name the line and the nearest known word."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.assembly.config_file import find_config, load_config
from sternpost.assembly.traffic import load_catalog, load_prices, load_traffic
from sternpost.base.errors import ConfigurationError
from sternpost.base.settings import Settings
from sternpost.contracts.call import TimeLimits

WHOLE = """
providers:
  lab: {dialect: openai_chat, base_url: "http://127.0.0.1:9000/v1", api_key: "${LAB_KEY}"}
routes:
  fast:
    targets:
      - {model: lab/m1}
      - {model: openai/gpt-5-mini, when: [down, rate_limited]}
    timeouts: {first_token_s: 3}
prices:
  - {model: lab/m1, input_usd: "1.00", output_usd: "2.00"}
limits:
  - {scope: key, requests_per_minute: 600, concurrency: 50}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "sternpost.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_file_becomes_providers_routes_prices_and_limits(tmp_path: Path) -> None:
    loaded = load_config(write(tmp_path, WHOLE), {"LAB_KEY": "secret"})
    catalog = load_catalog(loaded, {})
    traffic = load_traffic(loaded, catalog)

    assert catalog.providers["lab"].api_key.value == "secret"
    assert [f"{t.provider}/{t.model}" for t in traffic.routes["fast"].targets] == [
        "lab/m1",
        "openai/gpt-5-mini",
    ]
    assert traffic.routes["fast"].targets[1].when == ("down", "rate_limited")
    assert traffic.routes["fast"].time_limits == TimeLimits(first_token_s=3)
    assert (traffic.limits[0].requests_per_minute, traffic.limits[0].concurrency) == (600, 50)
    assert load_prices(loaded.config, catalog).find("lab", "m1", "m1") is not None


def test_an_unset_variable_leaves_its_provider_unconfigured_and_is_named(tmp_path: Path) -> None:
    loaded = load_config(write(tmp_path, WHOLE), {})
    assert loaded.unset_variables == ("LAB_KEY",)
    assert load_catalog(loaded, {}).providers["lab"].is_known_only
    assert load_catalog(loaded, {}).providers["lab"].key_variable == "LAB_KEY"


def test_an_address_from_an_unset_variable_is_not_replaced_by_the_usual_one(tmp_path: Path) -> None:
    text = 'providers:\n  openai: {base_url: "${PROXY_URL}", api_key: "k"}\n'
    openai = load_catalog(load_config(write(tmp_path, text), {}), {}).providers["openai"]
    assert (openai.is_known_only, openai.key_variable) == (True, "PROXY_URL")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "providers:\n  lab: {dialct: x}\n",
            "sternpost.yaml:2: unknown field 'providers.lab.dialct'; did you mean 'dialect'?",
        ),
        ("limts: []\n", "sternpost.yaml:1: unknown field 'limts'; did you mean 'limits'?"),
        ("routes:\n  a:\n    targets: []\n", "sternpost.yaml:3: routes.a.targets"),
        (
            "prices:\n  - {model: a/b, input_usd: cheap, output_usd: 1}\n",
            "sternpost.yaml:2: prices.0.input_usd",
        ),
        ("- a\n- b\n", "sternpost.yaml:1: the file must be a mapping"),
        ("routes: {\n", "not valid YAML"),
        ("a: \tb: c\n", "not valid YAML"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_config(write(tmp_path, text), {})
    assert says in refused.value.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("routes:\n  a:\n    targets: [{model: m1}]\n", "'m1' must be provider/model"),
        ("routes:\n  a:\n    targets: [{model: nobody/m1}]\n", "no provider 'nobody'"),
        ("routes:\n  a:\n    targets: [{model: opnai/m1}]\n", "did you mean 'openai'?"),
        ("providers:\n  opnai: {api_key: x}\n", "did you mean 'openai'?"),
    ],
)
def test_what_can_not_be_meant_is_refused(tmp_path: Path, text: str, says: str) -> None:
    loaded = load_config(write(tmp_path, text), {})
    with pytest.raises(ConfigurationError) as refused:
        load_traffic(loaded, load_catalog(loaded, {}))
    assert says in refused.value.message


def test_the_named_file_wins_and_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    here = write(tmp_path, "version: 1\n")
    assert find_config(Settings(home=tmp_path / "home")) == here
    assert find_config(Settings(home=tmp_path, config=here)) == here
    with pytest.raises(ConfigurationError, match="no configuration file"):
        find_config(Settings(home=tmp_path, config=tmp_path / "other.yaml"))


def test_no_file_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = load_config(find_config(Settings(home=tmp_path)), {})
    assert load_traffic(loaded, load_catalog(loaded, {})).routes == {}


@given(st.text(max_size=200))
def test_any_text_is_a_configuration_or_a_configuration_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.mktemp("config") / "sternpost.yaml"
    path.write_text(text, encoding="utf-8")
    with contextlib.suppress(ConfigurationError):  # anything else is a crash at the start
        load_config(path, {})


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan", "-1"])
def test_a_time_that_is_no_finite_number_is_refused_with_its_line(tmp_path: Path, number: str) -> None:
    text = f"routes:\n  r:\n    targets: [{{model: lab/m}}]\n    timeouts: {{total_s: {number}}}\n"
    with pytest.raises(ConfigurationError, match=r"sternpost\.yaml:4: routes\.r\.timeouts\.total_s"):
        load_config(write(tmp_path, text), {})
