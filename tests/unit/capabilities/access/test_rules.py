from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.base.errors import BadRequest, ConfigurationError, PermissionRefused
from sternpost.base.ids import KeyId, ProjectId
from sternpost.capabilities.access import rules
from sternpost.capabilities.access.records import ApiKey, KeyLimits
from sternpost.contracts.call import Principal
from sternpost.contracts.environment import ENVIRONMENTS

KEY = ApiKey(KeyId("k"), ProjectId("p"), "n", "00", "sp-", 5)
TIMES = st.integers(0, 2**62)
MAYBE = st.none() | TIMES


@given(st.binary(min_size=32, max_size=32))
def test_a_key_fits_a_header_and_its_hash_finds_it_again(entropy: bytes):
    minted = rules.mint_key(entropy)
    assert minted.key.startswith("sp-")
    assert len(minted.key) == 46  # 3 for "sp-", 43 for 256 bits at 6 bits each
    assert minted.key.isascii()
    assert minted.key.replace("-", "").replace("_", "").isalnum()
    assert rules.secret_hash(minted.key) == minted.key_hash
    assert minted.key.startswith(minted.prefix)
    assert len(minted.prefix) == 10  # 7 characters of the secret: 214 bits stay unknown


@given(MAYBE, MAYBE, TIMES)
def test_a_key_is_good_exactly_while_neither_revoked_nor_expired(
    expires: int | None, revoked: int | None, now: int
):
    verdict = rules.judge_key(replace(KEY, expires_ns=expires, revoked_ns=revoked), now)
    assert (verdict == "good") == (revoked is None and (expires is None or now < expires))
    assert (verdict == "revoked") == (revoked is not None)


@given(TIMES, MAYBE, TIMES)
def test_what_ended_or_expired_is_not_live(expires: int, ended: int | None, now: int):
    assert rules.is_live(expires, ended, now) == (ended is None and now < expires)


@given(st.text(), st.text())
def test_a_csrf_token_belongs_to_one_session(one: str, other: str):
    mine = rules.csrf_token(one.encode("utf-8", "replace").decode())
    theirs = rules.csrf_token(other.encode("utf-8", "replace").decode())
    assert rules.is_same_secret(mine, theirs) == (mine == theirs)
    assert rules.is_same_secret(one, mine) is False


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "nul\0"])
def test_a_name_that_nobody_can_read_is_refused(name: str):
    with pytest.raises(BadRequest, match="printable"):
        rules.clean_name(name)


def test_times_are_written_in_utc_to_the_microsecond():
    assert rules.utc_text(1_700_000_000_123_456_789) == "2023-11-14T22:13:20.123456Z"


STAGING = Principal(
    ProjectId("p"), KeyId("k"), "n", environment="staging", environments=frozenset({*ENVIRONMENTS, "qa-2"})
)


@pytest.mark.parametrize(
    ("said", "environment"),
    [("", "staging"), ("qa-2", "qa-2"), (" Production ", "production"), ("prod", "staging")],
)
def test_a_call_counts_where_it_says_if_that_exists_and_else_where_its_key_belongs(
    said: str, environment: str
):
    assert rules.environment_of(STAGING, said) == environment


@given(st.text())
def test_no_word_of_a_sender_makes_an_environment(said: str):
    assert rules.environment_of(STAGING, said) in STAGING.environments


def test_the_configuration_adds_environments_and_only_names_that_fit_an_address():
    assert rules.known_environments(["qa", "staging"]) == (*ENVIRONMENTS, "qa")
    for name in ("QA", "", "a b", "x" * 41, "-qa"):
        with pytest.raises(ConfigurationError, match="not a valid name"):
            rules.known_environments([name])


def test_an_unknown_environment_is_refused_with_the_nearest():
    with pytest.raises(BadRequest, match="did you mean 'production'"):
        rules.refuse_unknown_environment("prod", ENVIRONMENTS)


def test_a_key_creates_no_key_of_another_environment():
    own = KeyLimits(rules.APPLICATION, environment="staging")
    rules.refuse_wider(KeyLimits(rules.APPLICATION, environment="staging"), own)
    with pytest.raises(PermissionRefused, match="'staging'"):
        rules.refuse_wider(KeyLimits(rules.APPLICATION, environment="production"), own)
