"""`sternpost up`: start Sternpost: gateway, engine and worker, and restart what dies.

Needs sternpost[server].
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, cast

from sternpost.assembly.config_check import examine
from sternpost.assembly.config_file import find_config, load_config
from sternpost.assembly.config_summary import ConfigSummary, summarise
from sternpost.assembly.environment import process_environment
from sternpost.assembly.logs import configure_logs
from sternpost.assembly.traffic import check_config
from sternpost.base.errors import ConfigurationError
from sternpost.base.settings import Settings
from sternpost.cli.commands import Commands, Option, echo
from sternpost.cli.options import ConfigPath, Home, Host, Json, NewTables, Port, settings_from
from sternpost.cli.output import note, print_json
from sternpost.cli.own_command import own_command
from sternpost.server import ports
from sternpost.server.instance import STATE_NAME, hold_instance, prepare_home, refuse_second
from sternpost.server.supervisor import Process, Supervisor

_SHOWN_NAMES = 6
_SILENCE_S = 60.0  # nine times the longest silence that load brought about (docs/decisions/0016)

logger = logging.getLogger(__name__)

app = Commands(help="Start Sternpost.")


@app.command()
def up(
    *,
    home: Home = None,
    port: Port = None,
    host: Host = None,
    config: ConfigPath = None,
    is_json: Json = False,
    is_quiet: Annotated[bool, Option("--quiet", help="Print nothing when ready.")] = False,
    may_be_lost: NewTables = False,
) -> None:
    """Start gateway, engine and worker on one data folder, and restart what dies.

    Ctrl-C stops them in order: open calls are finished and their records stored first.
    """
    settings = settings_from(home, port, host, config)
    configure_logs(settings, "up")
    prepare_home(settings.home)
    environment = process_environment()
    force = _check_configuration(settings, environment)
    _refuse_open_door(settings)
    refuse_second(settings.home)
    is_explicit = port is not None or "STERNPOST_PORT" in environment
    chosen = ports.choose(settings.host, settings.port, may_move=not is_explicit)
    url = f"http://{settings.host}:{chosen}"
    with hold_instance(settings.home, {"url": url}):
        if may_be_lost:
            from sternpost.assembly.local import make_new_tables  # noqa: PLC0415  # 30 MB, seldom wanted

            make_new_tables(settings)
        if chosen != settings.port and settings.port:
            note(f"port {settings.port} is taken; using {chosen}")
        supervisor = Supervisor(
            processes(settings, chosen),
            settings.home / STATE_NAME,
            lambda facts: (
                None if is_quiet else _announce_if_read({**facts, **asdict(force)}, settings, is_json=is_json)
            ),
        )
        asyncio.run(supervisor.run())


def _check_configuration(settings: Settings, environment: Mapping[str, str]) -> ConfigSummary:
    """Stop the start for faults of the file, say what is left out, and return what is in force."""
    path = find_config(settings)
    examined = examine(path, environment)
    examined.refuse()
    for one in examined.said:
        if one.weight == "fault":
            note(f"warning: {one.sentence}")
    loaded = load_config(path, environment)
    catalog = check_config(loaded, environment)
    for provider in catalog.providers.values():
        if provider.fault:
            note(f"the provider {provider.name!r} is not configured: {provider.fault}")
        if provider.is_key_withheld:
            note(f"the provider {provider.name!r} has an address of its own; write its api_key beside it")
    return summarise(loaded, catalog)


def processes(settings: Settings, port: int) -> list[Process]:
    """Say which processes run, with which arguments."""
    common = ["--home", str(settings.home), "--heartbeat-fd", "{heartbeat_fd}"]
    config = ["--config", str(settings.config)] if settings.config else []
    found = [
        Process(
            "serve",
            [
                "serve",
                *common,
                *config,
                "--host",
                settings.host,
                "--port",
                str(port),
                "--announce-fd",
                "{announce_fd}",
            ],
            grace_s=settings.drain_s + 5,
            reloads=True,
            silence_s=_SILENCE_S,
        ),
        Process(
            "worker",
            ["worker", *common, *config, "--host", settings.host, "--port", str(port)],
            grace_s=20,
            is_patient=True,
            silence_s=_SILENCE_S,
        ),
    ]
    if not settings.clickhouse_url:
        found.insert(
            0, Process("engine", ["engine", *common], grace_s=20, is_spare=True, silence_s=_SILENCE_S)
        )
    return found


def announce(facts: Mapping[str, object], settings: Settings, *, is_json: bool) -> None:
    """Print the one screen that says where Sternpost is and how to use it."""
    if is_json:
        print_json(facts)
        return
    url = settings.public_url.rstrip("/") or str(facts["url"])
    key = facts.get("key") or "$STERNPOST_API_KEY"
    lines = ["", f"  Sternpost {facts['version']} is ready", ""]
    if facts.get("sign_in_url"):
        lines.append(f"  Sign in once      {facts['sign_in_url']}")
        lines.append(f"  Another link      {own_command('sign-in', home=settings.home)}")
    else:
        lines.append(f"  Web UI            {url}")
        lines.append(f"  A sign-in link    {own_command('sign-in', home=settings.home)}")
    if not facts.get("key"):
        create = own_command("key", "create", "--name", "my-app", home=settings.home)
        lines.append(f"  A new key         export STERNPOST_API_KEY=$({create})")
    lines += [
        f"  OpenAI SDK        export OPENAI_BASE_URL={url}/v1 OPENAI_API_KEY={key}",
        f"  Anthropic SDK     export ANTHROPIC_BASE_URL={url} ANTHROPIC_API_KEY={key}",
        f"  Sternpost SDK     export STERNPOST_BASE_URL={url} STERNPOST_API_KEY={key}",
        f"  OpenTelemetry     {url}/v1/traces",
        f"  Newest traces     {own_command('trace', 'list', home=settings.home)}",
        f"  Data folder       {settings.home}",
        f"  Configuration     {facts.get('config') or 'no sternpost.yaml, which is fine'}",
        *_in_force_lines(facts),
        "  Stop              Ctrl-C",
        "",
    ]
    if facts.get("key"):
        lines.insert(3, "  The key and the sign-in link below are shown only now.")
    echo("\n".join(lines))


def _in_force_lines(facts: Mapping[str, object]) -> list[str]:
    """Say which providers and routes calls can use, or how to get one."""
    providers, routes = _words(facts.get("providers")), _words(facts.get("routes"))
    if providers:
        lines = [f"  Providers         {_shortened(providers)}"]
    else:
        lines = [
            "  Providers         no provider key found: set OPENAI_API_KEY, ANTHROPIC_API_KEY or another of",
            "                    `sternpost provider list` before the start, or write it in sternpost.yaml;",
            "                    until then offline/extract-large answers from the context you send",
        ]
    return [*lines, f"  Routes            {_shortened(routes)}"] if routes else lines


def _words(value: object) -> Sequence[str]:
    return [str(one) for one in cast("Sequence[object]", value)] if isinstance(value, (list, tuple)) else ()


def _shortened(names: Sequence[str]) -> str:
    left = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {left} more" if left > 0 else "")


def _announce_if_read(facts: Mapping[str, object], settings: Settings, *, is_json: bool) -> None:
    """Announce; whoever took the first line and closed the pipe (`| head -1`) wants no more."""
    with contextlib.suppress(BrokenPipeError):
        announce(facts, settings, is_json=is_json)
        sys.stdout.flush()


def _refuse_open_door(settings: Settings) -> None:
    """Serving beyond this machine without encryption is a choice to be made aloud."""
    if settings.host not in {"127.0.0.1", "::1", "localhost"} and not settings.public_url:
        raise ConfigurationError(
            f"--host {settings.host} opens Sternpost to the network. Put a TLS proxy in front and say "
            "how it is reached: STERNPOST_PUBLIC_URL=https://sternpost.example.org "
            "(docs/how-to/run-in-production.md)"
        )
