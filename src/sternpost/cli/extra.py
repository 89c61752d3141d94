"""Whether the extra `server` is installed; which commands need it, each says itself."""

from importlib.util import find_spec

NEEDS_SERVER = "needs the server, which is not installed here: pip install 'sternpost[server]'"

# A module of each package that the extra names: an application often has some of them for reasons of its own.
SERVER_MODULES = (
    "aiohttp",
    "alembic",
    "clickhouse_connect",
    "croniter",
    "dbos",
    "fastapi",
    "httptools",
    "lz4",
    "msgspec",
    "opentelemetry.proto",
    "PIL",
    "prometheus_client",
    "pydantic",
    "python_multipart",
    "sqlalchemy",
    "typing_extensions",
    "urllib3",
    "uvicorn",
    "yaml",
    "zstandard",
)


def is_server_installed() -> bool:
    """Say whether all of them can be imported, without importing any."""
    return all(find_spec(module.partition(".")[0]) is not None for module in SERVER_MODULES)
