"""Keeps data-frame libraries out of our processes: the ClickHouse client imports them when it finds them."""

import sys
from typing import cast

_UNUSED = ("pandas", "pyarrow", "numpy", "polars")


def leave_out_data_frames() -> None:
    """Make their import fail for this process, before anything opens the trace store.

    chdb installs them; clickhouse-connect then loads them for results we never ask for: 80 MB and 0.6 s.
    """
    for name in _UNUSED:
        cast("dict[str, object]", sys.modules).setdefault(name, None)
