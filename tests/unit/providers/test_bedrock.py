"""Signatures that the fake provider calculates too, and credentials that come, go and change."""

import builtins
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.credentials import Credentials, RefreshableCredentials

from sternpost.base.errors import BadRequest, CredentialsUnavailable
from sternpost.contracts.provider import Provider
from sternpost.contracts.upstream import UpstreamRequest
from sternpost.dialects.bedrock.model_ids import path_of
from sternpost.providers.bedrock import SigV4Signer
from sternpost.providers.configure import ProviderSetting, configure
from tests.support.fake_bedrock import REGION, SECRETS, refusal

HOST = "127.0.0.1:4000"
ARN = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/ab12"


@pytest.fixture(autouse=True)
def aws_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Leave nothing of this machine's own AWS configuration in force."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path


def write_credentials(folder: Path, key: str, profile: str = "default") -> None:
    secret = SECRETS.get(key, "some-secret")
    text = f"[{profile}]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
    (folder / "credentials").write_text(text)


def signer(*, monotonic: Callable[[], float] = lambda: 0.0, **options: str) -> SigV4Signer:
    return SigV4Signer(
        Provider("bedrock", "B", "bedrock", "", options={"region": REGION, **options}), monotonic
    )


def request(path: str, body: bytes = b'{"a": 1}', **headers: str) -> UpstreamRequest:
    sent = {"content-type": "application/json", "user-agent": "sternpost", **headers}
    return UpstreamRequest("POST", f"http://{HOST}{path}", sent, body, 1.0, 1.0)


@pytest.mark.parametrize("model", [ARN, "eu.anthropic.claude-haiku-4-5-20251001-v1:0", "a b/ü", "plain"])
async def test_a_signature_holds_for_any_model_id(aws_home: Path, model: str) -> None:
    write_credentials(aws_home, "AKIDSTERNPOST")
    asked = request(path_of(model, "converse"))
    signed = await signer().sign(asked)
    arrived = {"host": HOST, **asked.headers, **signed}
    assert refusal("POST", path_of(model, "converse"), arrived, asked.body) is None
    assert refusal("POST", path_of(model, "converse"), arrived, asked.body + b" ") is not None


async def test_a_query_is_signed_too(aws_home: Path) -> None:
    write_credentials(aws_home, "AKIDSTERNPOST")
    asked = request("/guardrails?version=1&a=%2F")
    signed = await signer().sign(asked)
    arrived = {"host": HOST, **asked.headers, **signed}
    assert refusal("POST", "/guardrails?version=1&a=%2F", arrived, asked.body) is None


async def test_the_profile_of_the_option_is_used(aws_home: Path) -> None:
    write_credentials(aws_home, "AKIDDENIED", "team")
    signed = await signer(profile="team").sign(request("/model/a/converse"))
    assert "Credential=AKIDDENIED/" in signed["authorization"]


async def test_no_credentials_and_no_region_say_what_to_do(aws_home: Path) -> None:
    with pytest.raises(CredentialsUnavailable, match="set AWS_ACCESS_KEY_ID"):
        await signer().sign(request("/model/a/converse"))
    with pytest.raises(CredentialsUnavailable, match="write `region`"):
        await signer(region="").sign(request("/model/a/converse"))
    with pytest.raises(CredentialsUnavailable, match="ProfileNotFound"):
        await signer(profile="nobody").sign(request("/model/a/converse"))


async def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name.startswith("botocore"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(CredentialsUnavailable, match=r"sternpost\[bedrock\]"):
        await signer().sign(request("/model/a/converse"))


async def test_a_body_that_is_still_arriving_is_refused_in_words(aws_home: Path) -> None:
    async def upload() -> AsyncIterator[bytes]:
        yield b"x"

    write_credentials(aws_home, "AKIDSTERNPOST")
    flowing = UpstreamRequest("POST", "http://h/x", {}, b"", 1.0, 1.0, upload=upload())
    with pytest.raises(BadRequest, match="content-type: application/json"):
        await signer().sign(flowing)


async def test_rotated_credentials_are_found_once_they_were_refused(aws_home: Path) -> None:
    write_credentials(aws_home, "AKIDEXPIRED")
    made = signer()
    assert await made.renew() is False  # nothing was in use yet
    await made.sign(request("/model/a/converse"))
    write_credentials(aws_home, "AKIDSTERNPOST")
    assert await made.renew() is True
    assert "AKIDSTERNPOST" in (await made.sign(request("/model/a/converse")))["authorization"]


async def test_the_same_credentials_are_not_renewed_again_and_again(
    aws_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_credentials(aws_home, "AKIDDENIED")
    now = [0.0]
    made = signer(monotonic=lambda: now[0])
    await made.sign(request("/model/a/converse"))
    looked: list[str | None] = []
    real = botocore.session.Session

    def session(profile: str | None = None) -> Any:
        looked.append(profile)
        return real(profile=profile)

    monkeypatch.setattr(botocore.session, "Session", session)
    assert [await made.renew() for _ in range(5)] == [False] * 5
    assert len(looked) == 1
    now[0] = 61.0
    assert await made.renew() is False
    assert len(looked) == 2


async def test_credentials_that_run_out_are_refreshed_before_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    refreshed: list[str] = []

    def metadata(key: str, minutes: int) -> dict[str, str]:
        refreshed.append(key)
        ends = datetime.now(UTC) + timedelta(minutes=minutes)
        return {"access_key": key, "secret_key": "s", "token": "t", "expiry_time": ends.isoformat()}

    temporary = RefreshableCredentials.create_from_metadata(
        metadata("AKIDOLD", 4), refresh_using=lambda: metadata("AKIDNEW", 60), method="test"
    )
    monkeypatch.setattr(botocore.session.Session, "get_credentials", lambda self: temporary)
    made = signer()
    first = await made.sign(request("/model/a/converse"))
    await made.sign(request("/model/a/converse"))
    assert "Credential=AKIDNEW/" in first["authorization"]
    assert first["x-amz-security-token"] == "t"
    assert refreshed == ["AKIDOLD", "AKIDNEW"]


async def test_failures_of_botocore_never_show_their_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object) -> Credentials:
        raise OSError("/home/alice/.aws/credentials")

    monkeypatch.setattr(botocore.session.Session, "get_credentials", fail)
    with pytest.raises(CredentialsUnavailable) as caught:
        await signer().sign(request("/model/a/converse"))
    assert "alice" not in caught.value.message


def test_a_region_alone_makes_bedrock_a_provider_that_signs() -> None:
    catalog = configure([ProviderSetting("bedrock", options={"region": "eu-west-1"})], {})
    found = catalog.providers["bedrock"]
    assert (found.auth, found.is_known_only) == ("aws_sigv4", False)
    assert found.base_url == "https://bedrock-runtime.eu-west-1.amazonaws.com"


def test_a_key_and_a_region_in_the_environment_are_enough() -> None:
    environment = {"AWS_BEARER_TOKEN_BEDROCK": "key", "AWS_DEFAULT_REGION": "us-west-2"}
    found = configure([], environment).providers["bedrock"]
    assert (found.auth, found.is_known_only) == ("bearer", False)
    assert found.base_url == "https://bedrock-runtime.us-west-2.amazonaws.com"
