"""`sternpost doctor`: check ports, disk, permissions, clock, provider keys and reach.

Needs sternpost[server].
"""

import asyncio
import json
import os
import platform
import shutil
import ssl
import stat
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from sternpost.assembly.config_file import find_config, load_config
from sternpost.assembly.environment import misspelt_settings, process_environment
from sternpost.assembly.lost_tables import is_tables_file_lost, refuse_new_tables
from sternpost.assembly.signing import signer_of
from sternpost.assembly.storage import look_at_storage, storage_floor
from sternpost.assembly.traffic import check_config
from sternpost.base.errors import ConfigurationError, CredentialsUnavailable
from sternpost.base.settings import Settings
from sternpost.capabilities.traces.writing.set_aside import FOLDER_NAME, count_set_aside
from sternpost.cli.commands import Commands, Exit, Option, echo
from sternpost.cli.options import ConfigPath, Home, Json, Port, settings_from
from sternpost.cli.output import print_json
from sternpost.cli.own_command import own_command
from sternpost.contracts.provider import Provider
from sternpost.contracts.upstream import Signer, UpstreamRequest
from sternpost.dialects.registry import UPSTREAM_CODECS
from sternpost.gateway.stages.route import headers_for, url_at
from sternpost.server import ports
from sternpost.server.instance import prepare_home, restarts_of, running_address

app = Commands(help="Check ports, disk, permissions, clock, provider keys and reach.")

Verdict: TypeAlias = Literal["ok", "note", "bad"]
_REACH_S = 5.0
_MEND_SETTING = "change it in the environment or .env (docs/reference/settings.md)"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor. `repair` says what to do, empty when all is well."""

    check: str
    verdict: Verdict
    says: str
    repair: str = ""


@app.command()
def doctor(
    *,
    home: Home = None,
    port: Port = None,
    config: ConfigPath = None,
    is_offline: Annotated[bool, Option("--offline", help="Do not contact providers.")] = False,
    is_json: Json = False,
) -> None:
    """Check everything Sternpost needs. Exit code 1 when something must be mended."""
    try:
        settings = settings_from(home, port, config=config)
    except ConfigurationError as error:
        findings = [Finding("settings", "bad", line, _MEND_SETTING) for line in error.message.splitlines()]
    else:
        findings = list(examine(settings, is_offline=is_offline))
    is_well = all(finding.verdict != "bad" for finding in findings)
    if is_json:
        print_json({"is_well": is_well, "findings": [asdict(finding) for finding in findings]})
    else:
        marks = {"ok": "ok  ", "note": "note", "bad": "BAD "}
        for finding in findings:
            echo(f"{marks[finding.verdict]}  {finding.check:<14} {finding.says}")
            if finding.repair:
                echo(f"      {'':<14} -> {finding.repair}")
    raise Exit(0 if is_well else 1)


def examine(settings: Settings, *, is_offline: bool) -> Iterator[Finding]:
    """Run every check; none changes anything but the data folder's existence."""
    yield _python()
    for strange, meant in misspelt_settings(process_environment()).items():
        yield Finding("settings", "note", f"{strange} is not a Sternpost setting", f"do you mean {meant}?")
    yield _folder(settings)
    yield _disk(settings)
    yield _storage(settings)
    yield _instance(settings)
    yield from _processes(settings)
    yield from _tables(settings)
    yield _engine(settings)
    yield _set_aside(settings)
    yield _web_app()
    yield from _configuration(settings, is_offline=is_offline)


def _python() -> Finding:
    return Finding(
        "python", "ok", f"{platform.python_version()} on {os.uname().sysname} {os.uname().machine}"
    )


def _folder(settings: Settings) -> Finding:
    try:
        prepare_home(settings.home)
    except ConfigurationError as error:
        return Finding("data folder", "bad", error.message, "mkdir it, or pass --home DIR")
    mode = stat.S_IMODE(settings.home.stat().st_mode)
    return Finding("data folder", "ok", f"{settings.home} (mode {mode:o})")


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.home if settings.home.exists() else Path.cwd()).free
    says = f"{free / 1e9:.1f} GB free"
    if free < settings.journal_min_free_bytes:
        return Finding("disk", "bad", says, "free some space: the journal refuses records below this")
    floor = storage_floor(settings)
    if free < floor:
        repair = (
            f"free some space: files and media are refused below {floor / 1e9:.1f} GB, records are not yet"
        )
        return Finding("disk", "bad", says, repair)
    if free < 5e9:
        return Finding("disk", "note", says, "traces need about 1 GB per million spans")
    return Finding("disk", "ok", says)


def _storage(settings: Settings) -> Finding:
    state = look_at_storage(settings)
    says = f"files {state.files_bytes / 1e6:.0f} MB, media {state.media_bytes / 1e6:.0f} MB"
    if state.media_refused:
        return Finding(
            "storage",
            "note",
            f"{says}; {state.media_refused} media found no room and are kept by hash alone",
            "raise STERNPOST_PROJECT_MEDIA_BYTES, or free some space",
        )
    return Finding("storage", "ok", says)


def _instance(settings: Settings) -> Finding:
    address = running_address(settings.home) if settings.home.exists() else None
    if address is None:
        if ports.is_free(settings.host, settings.port):
            return Finding("port", "ok", f"{settings.port} is free; Sternpost does not run on this folder")
        return Finding(
            "port",
            "bad",
            f"{settings.port} is taken by another program",
            own_command("up", "--port", str(settings.port + 1)),
        )
    url = f"{address.get('url')}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=_REACH_S) as reply:  # noqa: S310  # our own address
            state = json.load(reply)
    except (OSError, ValueError):
        return Finding(
            "running", "bad", f"process {address.get('pid')} does not answer at {url}", "restart it"
        )
    parts = state.get("parts", {}).items()
    weak = [f"{name} ({part.get('reason', '')})" for name, part in parts if not part.get("is_up", True)]
    if weak:
        says = f"at {address.get('url')}, but down: {'; '.join(weak)}"
        return Finding("running", "bad", says, "calls go on and their traces wait; see its log")
    return Finding("running", "ok", f"at {address.get('url')} (process {address.get('pid')})")


def _processes(settings: Settings) -> Iterator[Finding]:
    """Name what had to be started again."""
    is_running = settings.home.exists() and running_address(settings.home) is not None
    for name, (restarts, hangs) in restarts_of(settings.home).items() if is_running else ():
        if restarts:
            often = f"started again {restarts} times since `sternpost up`, {hangs} of them because it hung"
            yield Finding(name, "note", often, "its log says why")


def _tables(settings: Settings) -> Iterator[Finding]:
    """Look for the file alone: to open it could change it."""
    if not settings.tables_url and is_tables_file_lost(settings.home):
        try:
            refuse_new_tables(settings)
        except ConfigurationError as error:
            yield Finding("tables", "bad", error.message, "docs/how-to/run-in-production.md#restore")


def _set_aside(settings: Settings) -> Finding:
    folder = settings.home / FOLDER_NAME
    count = count_set_aside(folder)
    if not count:
        return Finding("set aside", "ok", "every record could be stored")
    return Finding(
        "set aside",
        "note",
        f"{count} records can't be stored and are kept in {folder}",
        "read the .txt beside each for the reason; report it, and delete the files when you can do without",
    )


def _engine(settings: Settings) -> Finding:
    if settings.clickhouse_url:
        host = urllib.parse.urlsplit(settings.clickhouse_url).hostname
        return Finding("trace store", "ok", f"ClickHouse at {host}")
    if find_spec("chdb") is None:
        return Finding(
            "trace store",
            "bad",
            "the embedded engine (chdb) is not installed for this platform",
            "use Linux or macOS, or set STERNPOST_CLICKHOUSE_URL",
        )
    return Finding("trace store", "ok", "embedded engine")


def _web_app() -> Finding:
    page = Path(__file__).parents[1] / "_ui" / "index.html"
    if page.exists():
        return Finding("web app", "ok", "built")
    return Finding("web app", "note", "not in this build; the API works", "make ui (in a checkout)")


def _configuration(settings: Settings, *, is_offline: bool) -> Iterator[Finding]:
    environment = process_environment()
    try:
        loaded = load_config(find_config(settings), environment)
        providers = check_config(loaded, environment).providers
    except ConfigurationError as error:
        yield Finding(
            "configuration", "bad", error.message, own_command("config", "check", home=settings.home)
        )
        return
    yield Finding("configuration", "ok", str(loaded.path or "no sternpost.yaml, which is fine"))
    for name, variable in loaded.key_variables.items():
        if providers[name].is_known_only and not providers[name].fault:
            yield Finding(name, "note", "not configured", f"set {variable}, then restart")
    for one in providers.values():
        if one.fault:
            yield Finding(one.name, "note", f"not configured: {one.fault}", "then restart")
        if one.is_key_withheld:
            says = (
                f"its address is not the provider's own, so {one.key_variable or 'its account'} is not sent"
            )
            yield Finding(
                one.name, "note", says, "write `api_key` beside its base_url, or leave base_url out"
            )
    usable = [one for one in providers.values() if not one.is_known_only]
    remote = [one for one in usable if one.base_url.startswith("http")]
    if not remote:
        yield Finding(
            "providers",
            "note",
            "only the built-in offline answerer",
            "set OPENAI_API_KEY or another key, then restart",
        )
        return
    if is_offline:
        yield Finding("providers", "ok", ", ".join(one.name for one in usable))
        return
    with ThreadPoolExecutor(8) as pool:
        for findings in pool.map(_reach, remote):
            yield from findings


def _reach(provider: Provider) -> list[Finding]:
    """Ask for the list of models, which costs nothing, with the configured key."""
    signer = signer_of(provider)
    if signer is not None:
        return _reach_signed(provider, signer)
    codec = UPSTREAM_CODECS[provider.dialect]
    headers = headers_for(provider, codec)
    if not codec.models_path:
        return _reach_host(provider, "its key was not tried: nothing there is free of charge")
    is_rootless = provider.dialect == "anthropic" and not provider.base_url.endswith("/v1")
    path = ("/v1" if is_rootless else "") + codec.models_path
    url = url_at(replace(provider, path_prefix=""), "", path)
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    started_s = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=_REACH_S) as reply:  # noqa: S310
            status, date = reply.status, reply.headers.get("date")
    except urllib.error.HTTPError as error:
        status, date = error.code, error.headers.get("date")
    except (TimeoutError, OSError, ssl.SSLError) as error:
        return [_unreachable(provider, error)]
    elapsed_ms = (time.monotonic() - started_s) * 1000
    if status in {401, 403}:
        return [Finding(provider.name, "bad", f"refused the key ({status})", f"check {_key_place(provider)}")]
    return [Finding(provider.name, "ok", f"answers in {elapsed_ms:.0f} ms"), *_clock(date)]


def _key_place(provider: Provider) -> str:
    return provider.key_variable or f"providers.{provider.name} in sternpost.yaml"


def _reach_signed(provider: Provider, signer: Signer) -> list[Finding]:
    """Look for the credentials and sign with them; whether they are good only a call that costs can tell."""
    probe = UpstreamRequest("GET", provider.base_url, {}, b"", _REACH_S, _REACH_S)
    try:
        asyncio.run(signer.sign(probe))
    except CredentialsUnavailable as error:
        return [Finding(provider.name, "bad", error.message, f"{own_command('doctor')}, once that is done")]
    return _reach_host(provider, "its credentials were found, and not tried on a model")


def _reach_host(provider: Provider, caution: str) -> list[Finding]:
    """Say whether the host answers at all; what it answers to a stranger says nothing."""
    started_s = time.monotonic()
    try:
        with urllib.request.urlopen(provider.base_url, timeout=_REACH_S) as reply:  # noqa: S310
            date = reply.headers.get("date")
    except urllib.error.HTTPError as error:
        date = error.headers.get("date")
    except (TimeoutError, OSError, ssl.SSLError) as error:
        return [_unreachable(provider, error)]
    elapsed_ms = (time.monotonic() - started_s) * 1000
    return [Finding(provider.name, "ok", f"answers in {elapsed_ms:.0f} ms; {caution}"), *_clock(date)]


def _unreachable(provider: Provider, error: Exception) -> Finding:
    host = urllib.parse.urlsplit(provider.base_url).netloc
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    words = (cause.strerror if isinstance(cause, OSError) else "") or cause.__class__.__name__
    return Finding(
        provider.name, "bad", f"can't reach {host}: {words.lower()}", "check its base_url, and the network"
    )


def _clock(date: str | None) -> list[Finding]:
    """Compare this machine's clock with a provider's; signed requests and traces need it right."""
    if not date:
        return []
    skew_s = abs(time.time() - parsedate_to_datetime(date).timestamp())
    if skew_s < 60:
        return []
    return [
        Finding("clock", "bad", f"{skew_s:.0f} s away from the provider's", "switch on time synchronisation")
    ]
