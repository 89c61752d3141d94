"""`sternpost.yaml` is read with errors that name the line and the nearest known word."""

import contextlib
import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.assembly.config_file import find_config, load_config
from sternpost.assembly.environment import process_environment
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


def test_a_header_from_an_unset_variable_is_refused_by_name(tmp_path: Path) -> None:
    text = 'providers:\n  lab: {dialect: openai_chat, base_url: "http://h/v1", headers: {x-key: "${NOPE}"}}\n'
    with pytest.raises(ConfigurationError, match="'x-key' names a variable that is not set"):
        load_config(write(tmp_path, text), {})


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


BILLION = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in itertools.pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BILLION, r"sternpost.yaml:\d+: with its aliases .* more than 100,000 values"),
        ("x: &x {a: 1}\n" + BILLION.replace("[", "[*x, "), "more than 100,000 values"),
        ("routes:\n  a: " + "[" * 10_000, "sternpost.yaml:2: values are nested more than 40 deep"),
        ("routes:\n  a: " + "{a: " * 10_000, "sternpost.yaml:2: values are nested more than 40 deep"),
        ("".join(" " * n + "a:\n" for n in range(500)), "sternpost.yaml:40: values are nested"),
        ("- " * 10_000, "sternpost.yaml:1: values are nested"),
        ("a: &a [*a]\n", "sternpost.yaml:1: an alias .* is inside what it refers to"),
        ("version: 1\nroutes: {}\nroutes: {}\n", "sternpost.yaml:3: 'routes' occurs twice here"),
        ("x: &x {a: 1}\nroutes:\n  <<: *x\n  <<: *x\n", "sternpost.yaml:4: '<<' occurs twice here"),
        ("routes:\n  <<: 3\n", "sternpost.yaml:2: `<<` merges only mappings"),
        ("routes:\n  <<: [3]\n", "sternpost.yaml:2: `<<` merges only mappings"),
        ("routes:\n  ? [a, b]\n  : c\n", "sternpost.yaml:2: a name can't be"),
        ("version: 1\nx: 2001-99-99\n", "sternpost.yaml:2: this is not a valid date"),
        ("version: 1\nx: " + "9" * 5000 + "\n", "sternpost.yaml:2: this is not a valid date or number"),
        ("version: 1\nx: !!python/object/apply:os.system [id]\n", "sternpost.yaml:2: not valid YAML"),
        ("version: 1\n\nx: \x07\n", "sternpost.yaml:3: not valid YAML: a control character"),
        ("version: 1\nx: *nobody\n", "sternpost.yaml:2: not valid YAML"),
        ("a: 1\n---\nb: 2\n", "sternpost.yaml:2: not valid YAML"),
        ("x: " + "y" * 1_000_001, "larger than 1000 kB"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_a_file_that_would_take_the_machine_down_ends_in_a_sentence(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        load_config(write(tmp_path, text), {})


def test_bytes_that_are_no_utf8_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "sternpost.yaml"
    path.write_bytes(b"version: 1\n# caf\xe9\n")
    with pytest.raises(ConfigurationError, match=r"sternpost.yaml:2: not UTF-8"):
        load_config(path, {})


def test_aliases_and_merges_of_ordinary_size_work(tmp_path: Path) -> None:
    text = """
providers:
  one: &lab {dialect: openai_chat, base_url: "http://127.0.0.1:9000/v1", api_key: k}
  two: {<<: *lab, free: true}
"""
    loaded = load_config(write(tmp_path, text), {})
    assert loaded.config.providers["two"].base_url == "http://127.0.0.1:9000/v1"


@pytest.fixture
def two_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The working folder, with a file in it, and the data folder."""
    here, home = tmp_path / "here", tmp_path / "home"
    for folder in (here, home):
        folder.mkdir(mode=0o700)
    monkeypatch.chdir(here)
    write(here, "version: 1\n").chmod(0o600)
    return here, home


@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "why"),
    [
        (0o602, 0o700, "it can be written by everybody"),
        (0o600, 0o707, "its folder can be written by everybody"),
        (0o600, 0o1777, "its folder can be written by everybody"),
    ],
)
def test_a_file_of_the_working_folder_that_others_may_write_must_be_named(
    two_folders: tuple[Path, Path], file_mode: int, folder_mode: int, why: str
) -> None:
    here, home = two_folders
    (here / "sternpost.yaml").chmod(file_mode)
    here.chmod(folder_mode)
    with pytest.raises(ConfigurationError, match=f"{why}; if it is yours, set --config"):
        find_config(Settings(home))
    named = here / "sternpost.yaml"
    assert find_config(Settings(home, config=named)) == named
    here.chmod(0o700)
    named.chmod(0o644)
    assert find_config(Settings(home)) == named


@pytest.mark.skipif(os.getuid() != 0, reason="giving a file away takes root")
def test_a_file_of_another_user_must_be_named(two_folders: tuple[Path, Path]) -> None:
    here, home = two_folders
    os.chown(here / "sternpost.yaml", 12_345, 12_345)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        find_config(Settings(home))


@pytest.mark.skipif(os.getuid() != 0, reason="giving a file away takes root")
def test_a_file_that_a_group_may_write_must_be_named(two_folders: tuple[Path, Path]) -> None:
    here, home = two_folders
    os.chown(here / "sternpost.yaml", 0, 12_345)
    (here / "sternpost.yaml").chmod(0o660)
    with pytest.raises(ConfigurationError, match="written by the group 12345"):
        find_config(Settings(home))


def test_the_data_folder_is_the_users_own_also_when_one_works_in_it(
    two_folders: tuple[Path, Path],
) -> None:
    here, _ = two_folders
    here.chmod(0o777)
    assert find_config(Settings(here)) == here / "sternpost.yaml"


def test_variables_of_a_file_that_others_may_write_are_refused(two_folders: tuple[Path, Path]) -> None:
    here, _ = two_folders
    (here / ".env").write_text("STERNPOST_CONFIG=/elsewhere\n")
    (here / ".env").chmod(0o606)
    with pytest.raises(ConfigurationError, match=r"\.env.* can be written by everybody"):
        process_environment(here)
