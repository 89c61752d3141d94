"""Each command of the start screen can be pasted in a terminal that knows nothing of Sternpost."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.running import wait_until

_COMMAND = re.compile(r"^  [A-Z][A-Za-z ]+?  +((?:export |/).*)$", re.MULTILINE)
BARE = {"PATH": "/usr/bin:/bin", "HOME": "/"}


@contextmanager
def start_screen(home: Path) -> Iterator[str]:
    """Start `sternpost up` and return what it says until it is ready; stop it at the end."""
    said = home.parent / "said.txt"
    command = [sys.executable, "-m", "sternpost.cli.main", "up", "--home", str(home), "--port", "0"]
    with said.open("w") as output:
        process = subprocess.Popen(command, cwd=home.parent, env=BARE, stdout=output, stderr=output)
    try:
        wait_until(lambda: "Ctrl-C" in said.read_text(), what="the start screen")
        yield said.read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def run(*lines: str) -> "subprocess.CompletedProcess[str]":
    """Run lines one after another in one shell, in a folder that is not ours."""
    command = ["/bin/sh", "-ec", "\n".join(lines)]
    return subprocess.run(command, cwd="/", env=BARE, capture_output=True, text=True, check=False)


def paste(*lines: str) -> str:
    done = run(*lines)
    assert done.returncode == 0, done.stderr
    return done.stdout


def commands(screen: str, home: Path) -> list[str]:
    found = [line for line in _COMMAND.findall(screen) if line != str(home)]
    assert len(found) >= 5, screen
    return found


def ask_models(*exports: str) -> str:
    ask = "import os, urllib.request as u; h = {'authorization': 'Bearer ' + os.environ['OPENAI_API_KEY']};"
    ask += "print(u.urlopen(u.Request(os.environ['OPENAI_BASE_URL'] + '/models', headers=h)).read().decode())"
    return paste(*exports, f'{sys.executable} -c "{ask}"')


def test_each_command_of_a_first_and_of_a_later_start_can_be_pasted(tmp_path: Path) -> None:
    home = tmp_path / "a folder"
    with start_screen(home) as screen:
        exports = [line for line in commands(screen, home) if line.startswith("export")]
        assert "offline/extract-large" in ask_models(*exports)
        assert "/sign-in?token=" in paste(*(line for line in commands(screen, home) if "sign-in" in line))
    with start_screen(home) as screen:
        exports = [line for line in commands(screen, home) if line.startswith("export")]
        assert "key create" in exports[0]
        assert "offline/extract-large" in ask_models(*exports)
        for line in set(commands(screen, home)) - set(exports):
            wait_until(lambda line=line: run(line).returncode == 0, what=line)
