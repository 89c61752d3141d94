import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, DataError, OperationalError

from sternpost.backends.trace_store.connections import server_address
from sternpost.backends.trace_store.failures import is_out_of_reach, read_failure, write_failure
from sternpost.base.errors import BadRequest, ConfigurationError, QueryTimedOut, StoreUnavailable


@pytest.mark.parametrize(
    ("code", "read", "write"),
    [
        (None, StoreUnavailable, StoreUnavailable),
        (159, QueryTimedOut, StoreUnavailable),
        (394, QueryTimedOut, StoreUnavailable),
        (241, BadRequest, StoreUnavailable),
        (396, BadRequest, BadRequest),
        (243, StoreUnavailable, StoreUnavailable),
        (252, StoreUnavailable, StoreUnavailable),
        (516, StoreUnavailable, StoreUnavailable),
        (40, StoreUnavailable, StoreUnavailable),
        (62, BadRequest, BadRequest),
    ],
)
def test_each_number_of_clickhouse_has_one_meaning(code: int | None, read: type, write: type) -> None:
    error = DatabaseError("said", code=code, name="NAME")

    assert type(read_failure(error)) is read
    assert type(write_failure(error)) is write


def test_only_a_lost_connection_or_a_changed_password_asks_for_a_new_address() -> None:
    assert is_out_of_reach(OperationalError("gone"))
    assert is_out_of_reach(ConnectionResetError())
    assert is_out_of_reach(DatabaseError("who?", code=516))
    assert not is_out_of_reach(DatabaseError("slow", code=159))
    assert not is_out_of_reach(DataError("bad row"))


def test_an_error_that_may_quote_stored_values_is_named_and_not_repeated() -> None:
    quoting = DatabaseError("DB::Exception: Cannot parse 'the secret prompt'", code=27, name="CANNOT_PARSE")
    speaking = DatabaseError(
        "DB::Exception: Unknown identifier `nope` (for url http://x)", code=47, name="UNKNOWN_IDENTIFIER"
    )

    assert str(read_failure(quoting)) == "the trace store refused the statement with 27 CANNOT_PARSE"
    assert str(read_failure(speaking)).endswith("47 UNKNOWN_IDENTIFIER: Unknown identifier `nope`")


def test_a_server_s_url_is_an_address_and_a_database() -> None:
    address, database = server_address("https://ann:p%40ss@db.example.org/traces")
    assert (address.url, address.user, address.password) == ("https://db.example.org:8443", "ann", "p@ss")
    assert database == "traces"

    address, database = server_address("http://[::1]")
    assert (address.url, address.user, address.password) == ("http://[::1]:8123", "default", "")
    assert database == "sternpost"


@pytest.mark.parametrize("url", ["", "db.example.org", "clickhouse://host", "http://", "http://u:se/cret@h"])
def test_a_url_that_is_none_is_a_mistake_in_the_settings(url: str) -> None:
    with pytest.raises(ConfigurationError, match="STERNPOST_CLICKHOUSE_URL"):
        server_address(url)
