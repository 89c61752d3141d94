"""An environment without extras: the SDK traces, the client commands read, the others say what to install."""

import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from sternpost.cli.groups import groups
from tests.support.running import RunningSternpost, wait_until

ROOT = Path(__file__).resolve().parents[2]
MOST_PACKAGES = 8
MOST_BYTES = 25_000_000
TRACED = """
import sternpost

@sternpost.trace
def lookup(city):
    return "nine"

with sternpost.trace("light visit") as span:
    lookup("Oslo")
assert sternpost.flush()
print(span.trace_id)
"""


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and install it without extras; what it requires is copied from here, so no network."""
    folder = tmp_path_factory.mktemp("light")
    environment = folder / "venv"
    uv = str(Path(sys.executable).with_name("uv"))
    for command in (
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")],
        [sys.executable, "-m", "venv", "--without-pip", str(environment)],
    ):
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    python = environment / "bin" / "python"
    install = [uv, "pip", "install", "--offline", "--no-deps", "--python", str(python), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    for name in base_packages() - {"sternpost"}:
        copy_package(name, packages_of(environment))
    return environment


def base_packages() -> set[str]:
    """Return the names of all that `pip install sternpost` would install on this platform."""
    found, waiting = set[str](), ["sternpost"]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        needs = [Requirement(line) for line in requires(name) or ()]
        waiting += [one.name for one in needs if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def packages_of(environment: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(environment)}))


def copy_package(name: str, to: Path) -> None:
    for file in distribution(name).files or ():
        source = Path(str(file.locate()))
        if ".." not in file.parts and source.suffix != ".pyc":
            (to / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, to / file)


def run(light: Path, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("STERNPOST_")}
    return subprocess.run(
        [str(light / "bin" / command[0]), *command[1:]],
        env={**plain, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        cwd=light,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_base_is_few_packages_and_small(light: Path) -> None:
    installed = list(packages_of(light).glob("*.dist-info"))
    assert len(installed) == len(base_packages()) <= MOST_PACKAGES
    size_bytes = sum(path.stat().st_size for path in packages_of(light).rglob("*") if path.is_file())
    assert size_bytes < MOST_BYTES


def test_the_sdk_traces_and_the_client_lists_what_it_traced(
    light: Path, sternpost_server: RunningSternpost, tmp_path: Path
) -> None:
    where = {"STERNPOST_BASE_URL": sternpost_server.base_url, "STERNPOST_API_KEY": sternpost_server.key}
    traced = run(light, ["python", "-c", TRACED], STERNPOST_SPILL_FOLDER=str(tmp_path), **where)
    assert traced.returncode == 0, traced.stderr
    trace_id = traced.stdout.strip()

    def is_listed() -> bool:
        listed = run(light, ["sternpost", "trace", "list"], **where)
        assert listed.returncode == 0, listed.stderr
        return trace_id in listed.stdout

    wait_until(is_listed, what="the trace in the list")
    assert "lookup" in run(light, ["sternpost", "trace", "show", trace_id], **where).stdout
    assert "offline/" in run(light, ["sternpost", "model", "list"], **where).stdout


@pytest.mark.parametrize("name", sorted(one.name for one in groups().values() if one.needs_server))
def test_a_command_of_the_server_says_what_to_install(light: Path, name: str) -> None:
    refused = run(light, ["sternpost", name])
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [
        f"sternpost: `sternpost {name}` needs the server, which is not installed here: "
        "pip install 'sternpost[server]'"
    ]


def test_without_a_key_the_client_says_what_to_set(light: Path) -> None:
    refused = run(light, ["sternpost", "trace", "list"], STERNPOST_BASE_URL="http://127.0.0.1:9")
    assert refused.returncode == 2
    assert "set STERNPOST_API_KEY" in refused.stderr
