"""How each coding agent is installed, pointed at Sternpost and given a task without anyone at the keyboard."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Aim:
    """Where an agent is pointed: Sternpost's address, a key, a model; `home` is the agent's own folder."""

    base_url: str
    key: str
    model: str
    home: Path
    work: Path
    task: str


@dataclass(frozen=True)
class Start:
    """What to run; files are written below the agent's home first."""

    arguments: list[str]
    environment: Mapping[str, str]
    files: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Agent:
    package: str
    program: str
    start: Callable[[Aim], Start]
    model: str  # a name that the agent knows, so that it behaves as it does with its own vendor
    hosts: tuple[str, ...] = ("chat", "openai", "anthropic", "gemini", "bedrock")  # the first one's is kept
    own_hosts: tuple[str, ...] = ()  # nothing is translated, so nothing may be lost
    losses: tuple[str, ...] = ()  # warnings that are right elsewhere, as patterns
    has_session: bool = True
    has_tools: bool = True
    is_python: bool = False
    is_passed_through: bool = False  # speaks a provider's own dialect, below /v1/providers


def _claude_code(aim: Aim) -> Start:
    environment = {
        "ANTHROPIC_BASE_URL": aim.base_url,
        "ANTHROPIC_API_KEY": aim.key,
        "ANTHROPIC_MODEL": aim.model,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": aim.model,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "IS_SANDBOX": "1",
    }
    return Start(["-p", aim.task, "--dangerously-skip-permissions", "--output-format", "text"], environment)


def _codex(aim: Aim) -> Start:
    config = f"""
model = "{aim.model}"
model_provider = "sternpost"

[model_providers.sternpost]
name = "Sternpost"
base_url = "{aim.base_url}/v1"
env_key = "STERNPOST_API_KEY"
wire_api = "responses"
"""
    arguments = ["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", aim.task]
    environment = {"STERNPOST_API_KEY": aim.key, "CODEX_HOME": str(aim.home / ".codex")}
    return Start(arguments, environment, {".codex/config.toml": config})


def _opencode(aim: Aim, package: str, path: str = "/v1") -> Start:
    provider = {
        "npm": package,
        "name": "Sternpost",
        "options": {"baseURL": f"{aim.base_url}{path}", "apiKey": aim.key},
        "models": {aim.model: {"name": aim.model, "limit": {"context": 200_000, "output": 32_000}}},
    }
    config = {
        "$schema": "https://opencode.ai/config.json",
        "provider": {"sternpost": provider},
        "model": f"sternpost/{aim.model}",
        "small_model": f"sternpost/{aim.model}",
        "autoupdate": False,
        "share": "disabled",
        "permission": {"*": "allow"},
    }
    return Start(["run", aim.task], {}, {".config/opencode/opencode.json": json.dumps(config)})


def _qwen(aim: Aim) -> Start:
    environment = {
        "OPENAI_BASE_URL": f"{aim.base_url}/v1",
        "OPENAI_API_KEY": aim.key,
        "OPENAI_MODEL": aim.model,
    }
    settings = {"telemetry": {"enabled": False}, "privacy": {"usageStatisticsEnabled": False}}
    return Start(
        ["--yolo", "--auth-type", "openai", "-p", aim.task],
        environment,
        {".qwen/settings.json": json.dumps(settings)},
    )


def _gemini(aim: Aim) -> Start:
    environment = {
        "GOOGLE_GEMINI_BASE_URL": f"{aim.base_url}/v1/providers/gemini",
        "GEMINI_API_KEY": aim.key,
        "GEMINI_MODEL": aim.model,
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
    }
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
        "general": {"disableAutoUpdate": True},
    }
    files = {".gemini/settings.json": json.dumps(settings)}
    return Start(["--yolo", "-m", aim.model, "-p", aim.task], environment, files)


def _aider(aim: Aim) -> Start:
    environment = {
        "OPENAI_API_BASE": f"{aim.base_url}/v1",
        "OPENAI_API_KEY": aim.key,
        "AIDER_ANALYTICS": "false",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    arguments = [
        *("--model", f"openai/{aim.model}", "--yes-always", "--no-git", "--no-check-update"),
        *("--no-show-model-warnings", "--no-show-release-notes", "--edit-format", "diff"),
        *("--test-cmd", f"cat {aim.work}/greeting.txt", "--auto-test"),
        *("--message", aim.task, f"{aim.work}/greeting.txt"),
    ]
    return Start(arguments, environment)


_CLAUDE_LOSSES = (
    "dropped:context_management",
    r"dropped:system \(x-anthropic-billing-header\)",
    "dropped:(cache_control|user|thinking)",
    r"dropped:thinking \(asked for as a budget\)",
    "dropped:output_config.effort",
    "dropped:anthropic-beta .*",
)
_CODEX_LOSSES = (
    "dropped:(client_metadata|prompt_cache_key|parallel_tool_calls|verbosity|reasoning|reasoning.context)",
    "dropped:tools.web_search",
)
_OPENCODE_LOSSES = (
    r"dropped:max_tokens \(sent as max_completion_tokens\)",
    "dropped:(cache_control|prompt_cache_key|verbosity|reasoning|reasoning.summary)",
    r"dropped:tools\.\*\.eager_input_streaming",
    "dropped:anthropic-beta .*",
)

AGENTS = {
    "claude-code": Agent(
        "@anthropic-ai/claude-code", "claude", _claude_code, "claude-sonnet-4-6",
        hosts=("anthropic", "chat", "openai", "gemini", "bedrock"), own_hosts=("anthropic",),
        losses=_CLAUDE_LOSSES,
    ),
    "codex": Agent(
        "@openai/codex", "codex", _codex, "gpt-5.6-sol",
        hosts=("openai", "chat", "anthropic", "gemini", "bedrock"), own_hosts=("openai",),
        losses=_CODEX_LOSSES,
    ),
    "codex-functions": Agent(  # a model that it gives functions instead of one tool that runs code
        "@openai/codex", "codex", _codex, "gpt-5.5",
        hosts=("openai", "chat", "anthropic", "gemini", "bedrock"), own_hosts=("openai",),
        losses=_CODEX_LOSSES,
    ),
    "opencode-chat": Agent(
        "opencode-ai", "opencode", lambda aim: _opencode(aim, "@ai-sdk/openai-compatible"), "coder",
        own_hosts=("chat",), losses=_OPENCODE_LOSSES,
    ),
    "opencode-responses": Agent(
        "opencode-ai", "opencode", lambda aim: _opencode(aim, "@ai-sdk/openai"), "gpt-5.2",
        hosts=("openai", "chat", "anthropic", "gemini", "bedrock"), own_hosts=("openai",),
        losses=_OPENCODE_LOSSES,
    ),
    "opencode-anthropic": Agent(
        "opencode-ai", "opencode", lambda aim: _opencode(aim, "@ai-sdk/anthropic"), "claude-sonnet-4-6",
        hosts=("anthropic", "chat", "openai", "gemini", "bedrock"), own_hosts=("anthropic",),
        losses=_OPENCODE_LOSSES,
    ),
    "qwen-code": Agent(
        "@qwen-code/qwen-code", "qwen", _qwen, "qwen3-coder-plus", own_hosts=("chat",),
        losses=(r"dropped:max_tokens \(sent as max_completion_tokens\)",), has_session=False,
    ),
    "gemini-cli": Agent(
        "@google/gemini-cli", "gemini", _gemini, "gemini-2.5-pro", hosts=("gemini",), own_hosts=("gemini",),
        has_session=False, is_passed_through=True,
    ),
    "aider": Agent(
        "aider-chat", "aider", _aider, "gpt-4o", own_hosts=("chat",), losses=("dropped:temperature",),
        has_session=False, has_tools=False, is_python=True,
    ),
}  # fmt: skip
