"""What a key has no scope for is refused in the caller's own dialect, with the scope and how to get it."""

import pytest

from sternpost.base.ids import KeyId, ProjectId
from sternpost.contracts.key_scope import KeyScope
from sternpost.gateway.stages.pass_through_request import needed_scope
from sternpost.gateway.state.origins import Origin
from tests.unit.gateway.conftest import ASK, Gateway

READER = {"authorization": "Bearer sp-reader"}
APP = {"authorization": "Bearer sp-app"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": ASK}),
        ("/v1/messages", {"messages": ASK, "max_tokens": 9}),
        ("/v1/responses", {"input": "hi"}),
        ("/v1/embeddings", {"input": "hi"}),
        ("/v1/messages/count_tokens", {"messages": ASK}),
        ("/v1/moderations", {"input": "hi"}),
        ("/v1/providers/lab/chat/completions", {"messages": ASK}),
    ],
)
async def test_a_key_that_only_reads_traces_calls_nothing(
    gateway: Gateway, path: str, body: dict[str, object]
) -> None:
    answer = await gateway.post(path, {"model": "lab/m1", **body}, **READER)

    assert answer.status == 403
    error = answer.json["error"]
    assert "'calls'" in error["message"]
    assert "--scope calls" in error["message"]
    expected = "permission_error" if path.startswith("/v1/messages") else "permission_denied"
    assert expected in (error["type"], error.get("code"))
    assert gateway.provider.requests() == []
    assert (gateway.record().error_type, gateway.record().http_status) == ("permission_denied", 403)


async def test_models_are_listed_for_keys_that_call(gateway: Gateway) -> None:
    assert (await gateway.get("/v1/models", **READER)).status == 403
    assert (await gateway.get("/v1/models", **APP)).status == 200


async def test_what_is_about_the_account_at_a_provider_needs_its_own_scope(gateway: Gateway) -> None:
    for method, path in [("GET", "/echo"), ("DELETE", "/echo"), ("POST", "/echo"), ("GET", "/files")]:
        sent = gateway.session.request(method, f"{gateway.url}/v1/providers/lab{path}", headers=APP)
        async with sent as reply:
            assert reply.status == 403
            assert "provider:account" in await reply.text()
    assert gateway.provider.requests() == []
    body = {"model": "m1", "messages": ASK}
    assert (await gateway.post("/v1/providers/lab/chat/completions", body, **APP)).status == 200


CALLED = [
    "/chat/completions", "/v1/responses", "/v1/embeddings", "/openai/v1/chat/completions", "/v1/messages",
    "/openai/deployments/gpt/chat/completions", "/v1beta/models/gemini-3-flash:streamGenerateContent",
    "/v1/projects/p/locations/l/publishers/google/models/g:rawPredict", "/model/a.b-v1%3A0/converse-stream",
    "/api/chat", "/v2/rerank", "/v1/images/edits", "/fim/completions",
]  # fmt: skip
OF_THE_ACCOUNT = [
    "/v1/files", "/v1/fine_tuning/jobs", "/v1/batches", "/v1/vector_stores", "/v1/responses/resp_1/cancel",
    "/v1/assistants", "/v1/threads/runs", "/v1/containers", "/v1/evals",
    "/v1beta/models/g:batchGenerateContent",
    "/v1/files/chat/completions", "/v1/chat/completions/abc", "/v1/chat%2Fcompletions", "/model/m/x/converse",
    "/v1beta/cachedContents", "/api/pull", "", "/",
]  # fmt: skip


@pytest.mark.parametrize("path", CALLED)
def test_only_posts_to_paths_of_models_are_calls(path: str) -> None:
    assert needed_scope("POST", path) is KeyScope.CALLS
    assert needed_scope("DELETE", path) is KeyScope.PROVIDER_ACCOUNT
    assert needed_scope("GET", path) is KeyScope.PROVIDER_ACCOUNT


@pytest.mark.parametrize("path", OF_THE_ACCOUNT)
def test_every_other_path_is_about_the_account(path: str) -> None:
    assert needed_scope("POST", path) is KeyScope.PROVIDER_ACCOUNT
    assert needed_scope("GET", path) is KeyScope.PROVIDER_ACCOUNT


def test_lists_of_models_need_no_more_than_calls() -> None:
    for path in ("/models", "/v1/models", "/v1/models/gpt-5", "/api/tags"):
        assert needed_scope("GET", path) is KeyScope.CALLS
        assert needed_scope("DELETE", path) is KeyScope.PROVIDER_ACCOUNT


async def test_a_stored_reply_is_read_by_its_own_key_or_with_a_scope(gateway: Gateway) -> None:
    project = ProjectId("prj")
    gateway.services.origins.remember("resp_mine", Origin(project, "lab", KeyId("key_4")))
    gateway.services.origins.remember("resp_theirs", Origin(project, "lab", KeyId("key_1")))
    for method in ("GET", "DELETE"):
        url = f"{gateway.url}/v1/responses/resp_theirs"
        async with gateway.session.request(method, url, headers=APP) as refused:
            assert refused.status == 403
            assert "'files'" in await refused.text()
    assert gateway.provider.requests() == []
    await gateway.get("/v1/responses/resp_mine", **APP)
    assert gateway.provider.requests()[-1]["path"].endswith("/responses/resp_mine")
    await gateway.get("/v1/responses/resp_theirs")  # sp-one has all scopes
    assert gateway.provider.requests()[-1]["path"].endswith("/responses/resp_theirs")
