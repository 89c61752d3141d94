"""Whatever path and query are asked for, the call stays at the provider's address."""

from hypothesis import assume, given
from hypothesis import strategies as st
from yarl import URL

from sternpost.base.errors import BadRequest
from sternpost.dialects.registry import UPSTREAM_CODECS
from sternpost.gateway.stages.pass_through_request import provider_query, provider_url
from sternpost.providers.configure import ProviderSetting, configure

BASE = "https://host.example/base/v1"
PIECES = [
    "a", "/", "//", ".", "..", "%2e", "%2E%2e", "%2f", "%5c", "\\", "@evil.example", ":80", ";x", "?", "#",
    "%00", "%25", "%252e", "\xe9", " ",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=10), st.text(st.characters(max_codepoint=255), max_size=20))
def test_a_url_never_leaves_its_base(pieces: list[str], query: str) -> None:
    try:
        url = provider_url(BASE, "/" + "".join(pieces), query, "sp-key")
    except BadRequest:
        assume(False)
        return
    resolved = URL(url)  # as a client would that resolves what it can
    assert url.startswith(BASE + "/")
    assert url.isascii()
    assert (resolved.host, resolved.port, resolved.fragment) == ("host.example", 443, "")
    assert resolved.path.startswith("/base/v1/")


@given(st.lists(st.sampled_from(["a=1", "a", "key=sp-key", "k=sp%2Dkey", "b=%20+%2F", ""]), max_size=6))
def test_a_query_is_kept_but_for_the_callers_key(pairs: list[str]) -> None:
    kept = [pair for pair in pairs if pair and "sp" not in pair]
    url = provider_url(BASE, "/x", "&".join(pairs), "sp-key")
    assert url == BASE + "/x" + ("?" + "&".join(kept) if kept else "")


def test_the_version_of_an_sdk_that_writes_it_itself_is_not_doubled() -> None:
    assert provider_url(BASE, "/v1/chat/completions", "", "") == BASE + "/chat/completions"
    assert provider_url(BASE, "/v1beta/models", "", "") == BASE + "/v1beta/models"
    assert provider_url("https://host.example", "/v2/chat", "", "") == "https://host.example/v2/chat"


def test_no_key_of_the_callers_own_account_at_google_goes_on() -> None:
    settings = [
        ProviderSetting("google", "gemini", "https://host.example/v1beta", "g-key"),
        ProviderSetting("lab", "openai_chat", BASE, "lab-key"),
    ]
    providers = configure(settings, {}).providers
    google, lab = providers["google"], providers["lab"]
    asked = "alt=sse&key=AIza-theirs&access%5Ftoken=ya29-theirs&monkey=1"
    assert provider_query(asked, google, UPSTREAM_CODECS["gemini"]) == "alt=sse&monkey=1"
    assert (
        provider_query(asked, lab, UPSTREAM_CODECS["openai_chat"]) == asked
    )  # elsewhere `key` may be any word
