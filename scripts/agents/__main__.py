"""Runs real coding agents through a Sternpost on a task with tools, at hosts of every dialect.

`python -m scripts.agents [NAME ...] [--at HOST ...] [--keep FOLDER] [--environments FOLDER]`. Each agent is
installed in an environment of its own; the models are the fake provider's. `--keep` writes what each agent sent
last as a golden file.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.agents.judge import Ran, wrong
from scripts.agents.keep import keep
from scripts.agents.known import AGENTS, Agent, Aim
from scripts.agents.relay import Passed, relay
from tests.support.fake_coder import AFTER, BEFORE, FILE
from tests.support.fake_provider import start_fake_provider
from tests.support.running import RunningSternpost, run_sternpost

UV = Path(sys.executable).with_name("uv")
HOSTS = {
    "chat": "lab/some-coder",
    "openai": "openai/gpt-5.6-sol",
    "anthropic": "anthropic/claude-sonnet-4-6",
    "gemini": "gemini/gemini-3.8-flash",
    "bedrock": "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0",
}
CONFIG = """
providers:
  lab: {{dialect: openai_chat, base_url: "{url}/v1", api_key: lab-key, headers: {{x-play: coder}}}}
  openai: {{base_url: "{url}/v1", api_key: lab-key, headers: {{x-play: coder}}}}
  anthropic: {{base_url: "{url}/v1", api_key: lab-key, headers: {{x-play: coder}}}}
  gemini: {{base_url: "{url}/v1beta", api_key: lab-key, headers: {{x-play: coder}}}}
  bedrock: {{base_url: "{url}", api_key: bedrock-api-key, auth: bearer, headers: {{x-play: coder}}}}
prices: [{{model: lab/some-coder, input_usd: "1.00", output_usd: "2.00"}}]
routes:
"""


def configuration(url: str) -> str:
    """Write the providers, and a route for each model that an agent asks for at each host."""
    models = sorted({agent.model for agent in AGENTS.values()})
    routes = [
        f'  {model}-at-{host}: {{targets: [{{model: "{target}"}}]}}'
        for model in models
        for host, target in HOSTS.items()
    ]
    return CONFIG.format(url=url) + "\n".join(routes) + "\n"


def program(agent: Agent, folder: Path) -> Path:
    """Install an agent, once, and return its program."""
    home = folder / f"env-{agent.program}"
    if agent.is_python:
        found = home / "bin" / agent.program
        if not found.exists():
            subprocess.run([UV, "venv", "--quiet", home], check=True)
            python = home / "bin" / "python"
            subprocess.run([UV, "pip", "install", "--quiet", "--python", python, agent.package], check=True)
        return found
    found = home / "node_modules" / ".bin" / agent.program
    if not found.exists():
        home.mkdir(parents=True, exist_ok=True)
        options = ("--silent", "--no-fund", "--no-audit", "--prefix", str(home))
        subprocess.run(["npm", "install", *options, agent.package], check=True, cwd=home)
    return found


def play(name: str, host: str, own: RunningSternpost, folder: Path) -> tuple[list[str], list[Passed]]:
    """Give an agent its task with a model at one host; what went wrong, and what it sent."""
    agent = AGENTS[name]
    with tempfile.TemporaryDirectory(prefix="task-") as top, relay(own.base_url) as (url, passed):
        home, work = Path(top) / "home", Path(top) / "work"
        home.mkdir()
        work.mkdir()
        file = work / FILE
        file.write_text(f"{BEFORE}\n")
        task = f"Read {file}, change '{BEFORE}' to '{AFTER}' in it, run `cat {file}` and say what it prints."
        model = HOSTS[host].partition("/")[2] if agent.is_passed_through else f"{agent.model}-at-{host}"
        start = agent.start(Aim(url, own.key, model, home, work, task))
        for path, text in (start.files or {}).items():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_text(text)
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm", "NO_COLOR": "1"}
        found = subprocess.run(
            [program(agent, folder), *start.arguments],
            env={**environment, **start.environment},
            cwd=work,
            capture_output=True,
            text=True,
            timeout=180,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        ran = Ran(found.returncode, found.stdout + found.stderr, file.read_text(), passed)
        return wrong(agent, host, ran, own), passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--at", action="append", choices=HOSTS)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--environments", type=Path, default=Path(tempfile.gettempdir()) / "sternpost-agents")
    asked = parser.parse_args()
    faults = 0
    with (
        start_fake_provider() as fake,
        tempfile.TemporaryDirectory() as home,
        run_sternpost(Path(home), config=configuration(fake.url)) as own,
    ):
        for name in asked.names or AGENTS:
            for host in AGENTS[name].hosts:
                if asked.at and host not in asked.at:
                    continue
                found, passed = play(name, host, own, asked.environments)
                faults += bool(found)
                words = f"{'wrong' if found else 'right'}  {name} at {host}: {len(passed)} requests"
                print(words, *found, sep="\n       ", flush=True)
                if asked.keep and host == AGENTS[name].hosts[0]:
                    keep(asked.keep / f"{name}.json", passed)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
