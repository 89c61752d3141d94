"""The SDK and the client commands import what `pip install sternpost` brings, and nothing else."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from sternpost.cli import main as cli
from sternpost.cli.extra import SERVER_MODULES
from sternpost.cli.groups import groups

ROOT = Path(__file__).resolve().parents[2]
MODULES = {  # where an import is not spelt like its package
    "chdb-core": "chdb",
    "clickhouse-connect": "clickhouse_connect",
    "opentelemetry-proto": "opentelemetry.proto",
    "pillow": "PIL",
    "prometheus-client": "prometheus_client",
    "python-multipart": "python_multipart",
    "pyyaml": "yaml",
    "typing-extensions": "typing_extensions",
}
ONLY_BASE = """
import importlib, sys
allowed = {"sternpost", "click", "_distutils_hack", *sys.stdlib_module_names}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ModuleNotFoundError(f"{name} is no package of the base", name=name)
sys.meta_path.insert(0, Refuse())
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _name(requirement: str) -> str:
    return re.split(r"[^\w-]", requirement, maxsplit=1)[0]


def test_sdk_and_client_commands_import_only_the_base() -> None:
    sdk = [f"sternpost.sdk.{path.stem}" for path in (ROOT / "src/sternpost/sdk").glob("[a-z]*.py")]
    client = [f"sternpost.cli.{name}" for name, one in groups().items() if not one.needs_server]
    assert {"sternpost.cli.trace", "sternpost.sdk.tracing"} <= {*client, *sdk}
    command = [sys.executable, "-c", ONLY_BASE, *sdk, *client, "sternpost.cli.main"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_base_is_click_alone() -> None:
    assert [_name(one) for one in _project()["dependencies"]] == ["click"]


def test_the_check_for_the_server_looks_for_each_package_of_its_extra() -> None:
    needed = [one for one in _project()["optional-dependencies"]["server"] if "sys_platform" not in one]
    modules = {MODULES.get(_name(one), _name(one)) for one in needed}
    assert set(SERVER_MODULES) == modules


def test_the_source_uses_each_package_of_the_server() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    modules = {MODULES.get(_name(one), _name(one)) for one in _project()["optional-dependencies"]["server"]}
    by_name = {"httptools", "chdb"}  # named to uvicorn, and loaded when the engine opens
    unused = [
        one
        for one in modules
        if not re.search(
            rf"^\s*(from|import) {one}\b" if one not in by_name else rf'"{one}\b', source, re.MULTILINE
        )
    ]
    assert unused == []


def test_extras_of_providers_and_stores_bring_the_server() -> None:
    extras = _project()["optional-dependencies"]
    assert [
        name for name, packages in extras.items() if name != "server" and "sternpost[server]" not in packages
    ] == []


@pytest.mark.parametrize("name", sorted(groups()))
def test_every_command_can_be_built(name: str) -> None:
    assert cli.load(name).name == name
