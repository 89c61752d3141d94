"""How every process logs: one line an event to standard error, as text or JSON, never a payload."""

import json
import logging
import sys
import time

from sternpost.base.settings import Settings


class _JsonLines(logging.Formatter):
    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logs(settings: Settings, process: str) -> None:
    """Send this process's log to standard error in the form the settings ask for."""
    handler = logging.StreamHandler(sys.stderr)
    if settings.log_format == "json":
        handler.setFormatter(_JsonLines(process))
    else:
        text = logging.Formatter(f"%(asctime)s {process:<6} %(levelname)-7s %(message)s", "%H:%M:%S")
        handler.setFormatter(text)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for noisy in ("uvicorn.error", "alembic", "aiohttp.client", "dbos", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for doubled in ("clickhouse_connect", "urllib3", "azure"):  # each failure is raised and logged once by us
        logging.getLogger(doubled).setLevel(logging.CRITICAL)
