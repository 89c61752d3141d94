from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.backends.engine.statement import NotAStatement, read_statement


def test_a_query_may_stand_in_the_url_or_in_the_body_or_in_both() -> None:
    assert read_statement("query=SELECT+1", "", b"").sql == "SELECT 1"
    assert read_statement("", "text/plain", b"SELECT 1").sql == "SELECT 1"
    assert read_statement("query=SELECT", "", b"1").sql == "SELECT\n1"


def test_names_in_the_url_are_parameters_settings_or_the_protocol_s_own() -> None:
    pairs = {
        "param_p": "it's",
        "max_threads": "2",
        "query_id": "q",
        "database": "db",
        "wait_end_of_query": "1",
    }

    context = read_statement(urlencode(pairs), "", b"SELECT {p:String}").context

    assert context.parameters == {"param_p": "it's"}
    assert context.settings == {"max_threads": "2"}
    assert (context.query_id, context.database) == ("q", "db")


@pytest.mark.parametrize("name", ["a b", "x=1, y", "max_threads'", "", "1a", "é"])
def test_a_name_that_is_no_identifier_never_reaches_the_engine(name: str) -> None:
    with pytest.raises(NotAStatement):
        read_statement(urlencode({name: "1"}), "", b"SELECT 1")


@given(rows=st.binary(max_size=200), columns=st.sampled_from(["", " (a, `b c`)", "(a)"]))
def test_rows_of_an_insert_are_left_untouched_byte_for_byte(rows: bytes, columns: str) -> None:
    statement = read_statement("", "", f"INSERT INTO db.`t 1`{columns} FORMAT Native\n".encode() + rows)

    assert statement.rows == rows
    assert (statement.sql, statement.rows_format) == (f"INSERT INTO db.`t 1`{columns}", "Native")


def test_rows_may_stand_in_the_body_with_the_insert_in_the_url() -> None:
    statement = read_statement(urlencode({"query": "insert into t format JSONEachRow"}), "", b'{"a":1}')

    assert (statement.sql, statement.rows_format, statement.rows) == (
        "insert into t",
        "JSONEachRow",
        b'{"a":1}',
    )


@pytest.mark.parametrize(
    ("sql", "lane"),
    [
        ("SELECT 1", "read"),
        ("with x as (select 1) select 1", "read"),
        ("INSERT INTO t SELECT 1", "write"),
        ("INSERT INTO t VALUES (1)", "write"),
        ("ALTER TABLE t DROP PARTITION 1", "write"),
        ("KILL QUERY WHERE query_id = 'x'", "control"),
    ],
)
def test_reads_writes_and_kills_wait_in_lanes_of_their_own(sql: str, lane: str) -> None:
    assert read_statement("", "", sql.encode()).lane == lane


def test_a_kill_names_the_query_by_the_id_its_caller_chose() -> None:
    sql = read_statement("", "", b"KILL QUERY WHERE query_id = 'x' ASYNC").sql

    assert sql == "KILL QUERY WHERE Settings['log_comment'] = 'x' ASYNC"


@pytest.mark.parametrize(
    ("sql", "name"), [("SELECT 1", "TabSeparated"), ("SELECT 1\n FORMAT Native", "Native")]
)
def test_the_format_at_the_end_is_the_answer_s(sql: str, name: str) -> None:
    assert read_statement("", "", sql.encode()).output_format == name


def test_long_parameters_arrive_as_a_form() -> None:
    form = (
        b'--b\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT {p:String}\r\n'
        b'--b\r\nContent-Disposition: form-data; name="param_p"\r\n\r\n\xc3\xa9 line\r\nbreak\r\n--b--\r\n'
    )

    statement = read_statement("database=d", "multipart/form-data; boundary=b", form)

    assert statement.sql == "SELECT {p:String}"
    assert statement.context.parameters == {"param_p": "é line\r\nbreak"}


@pytest.mark.parametrize("body", [b"", b"  \n", b"SELECT '\xff'"])
def test_what_is_no_statement_is_refused(body: bytes) -> None:
    with pytest.raises(NotAStatement):
        read_statement("", "", body)


def test_settings_between_table_and_format_stay_with_the_insert() -> None:
    statement = read_statement("", "", b"INSERT INTO t (a) SETTINGS async_insert=0 FORMAT TSV\n1\n")

    assert (statement.sql, statement.rows_settings, statement.rows) == (
        "INSERT INTO t (a)",
        "SETTINGS async_insert=0",
        b"1\n",
    )


@pytest.mark.parametrize(
    "sql",
    [
        b"INSERT INTO FUNCTION null('a Int64') FORMAT TSV\n9\n\n10",
        b"insert into t (* except(b)) format X\n\n1",
    ],
)
def test_rows_that_the_engine_would_cut_at_an_empty_line_are_refused(sql: bytes) -> None:
    with pytest.raises(NotAStatement, match="names one table"):
        read_statement("", "", sql)
