"""`sternpost demo`: start Sternpost with a small application running through it.

Needs sternpost[server].
"""

import json
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Annotated

from sternpost.assembly.environment import process_environment
from sternpost.assembly.local import make_key, make_sign_in_link
from sternpost.base.errors import ConfigurationError
from sternpost.cli.commands import Commands, Exit, Option, echo
from sternpost.cli.options import Port, settings_from
from sternpost.cli.output import note
from sternpost.cli.own_command import own_command

app = Commands(help="Start Sternpost with a small application running through it.")

_BOT = Path("examples") / "docs_bot" / "app.py"


@app.command()
def demo(
    *,
    port: Port = None,
    home: Annotated[Path | None, Option("--home", help="Default: ~/.sternpost-demo")] = None,
    is_reset: Annotated[bool, Option("--reset", help="Start with an empty data folder.")] = False,
    is_exit: Annotated[bool, Option("--exit", help="Stop when the application has finished.")] = False,
) -> None:
    """Start Sternpost on a demo folder, run the docs bot's questions through it, and keep serving."""
    bot = _find_bot()
    folder = (home or Path(process_environment().get("HOME", ".")) / ".sternpost-demo").absolute()
    if is_reset and folder.exists():
        _remove(folder)
    settings = settings_from(folder, port)
    arguments = [sys.executable, "-m", "sternpost.cli.main", "up", "--home", str(settings.home), "--json"]
    if port is not None:
        arguments += ["--port", str(port)]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a `kill` must not leave the server behind
    server = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    try:
        facts = _wait_for(server)
        threading.Thread(target=_drain, args=(server,), daemon=True).start()
        key = facts.get("key") or make_key(settings, "docs bot")
        code = _run(bot, facts["url"], key)
        link = facts.get("sign_in_url") or make_sign_in_link(settings, facts["url"])
        echo(f"\n  {'Done' if code == 0 else 'The application failed'}. Read its traces in the browser:\n")
        echo(f"      {link}\n")
        echo("\n".join(next_steps(bot.parents[2], folder, facts["url"], key)))
        if is_exit:
            raise Exit(code)
        server.wait()
    except KeyboardInterrupt:
        note("stopping ...")
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGTERM)
            server.wait(40)


def _find_bot() -> Path:
    """Look in the working folder and beside a checkout's sources."""
    for root in (Path.cwd(), Path(__file__).resolve().parents[3]):
        if (root / _BOT).is_file():
            return root / _BOT
    raise ConfigurationError(
        f"the example application {str(_BOT)!r} is not here; run this in a checkout of Sternpost: make demo"
    )


def next_steps(checkout: Path, folder: Path, url: str, key: str) -> list[str]:
    """Say what can be done now; each command can be pasted in another terminal, of zsh too: no comments."""
    elsewhere = f"HOME_DIR={shlex.quote(f'{folder}-2')} PORT=4200"
    return [
        "  The link works once, for 15 minutes. In another terminal:\n",
        f"  Another link           {own_command('sign-in', home=folder)}",
        f"  The same traces        {own_command('trace', 'list', home=folder)}",
        f"  OpenAI SDK             export OPENAI_BASE_URL={url}/v1 OPENAI_API_KEY={key}",
        f"  Anthropic SDK          export ANTHROPIC_BASE_URL={url} ANTHROPIC_API_KEY={key}",
        f"  Sternpost SDK          export STERNPOST_BASE_URL={url} STERNPOST_API_KEY={key}",
        f"  Other folder and port  make -C {shlex.quote(str(checkout))} demo {elsewhere}\n",
        f"  The data folder is {folder}. Stop with Ctrl-C.\n",
    ]


def _wait_for(server: "subprocess.Popen[str]") -> dict[str, str]:
    """Read the announcement of `up`; it comes within seconds or not at all."""
    assert server.stdout is not None
    line = server.stdout.readline()
    while line and not line.startswith("{"):
        line = server.stdout.readline()
    if not line:
        raise ConfigurationError("Sternpost did not start; what it said stands above")
    return json.loads(line)


def _drain(server: "subprocess.Popen[str]") -> None:
    assert server.stdout is not None
    for _ in server.stdout:
        continue


def _run(bot: Path, url: str, key: str) -> int:
    echo(f"\n  Sternpost runs at {url}; the docs bot now answers questions through it ...\n")
    environment = {**process_environment(), "STERNPOST_BASE_URL": url, "STERNPOST_API_KEY": key}
    return subprocess.run(
        [sys.executable, str(bot)], env=environment, cwd=bot.parents[2], check=False
    ).returncode


def _remove(folder: Path) -> None:
    """Delete a demo folder, and nothing that is not one."""
    if not (folder / "sternpost.lock").exists():
        raise ConfigurationError(f"{str(folder)!r} is not a Sternpost data folder; not deleting it")
    shutil.rmtree(folder)
