"""An insert loads no data-frame library, and leaves numpy to those who need it."""

import subprocess
import sys

INSERT_ROWS = """
import sys
import sternpost.backends.trace_store.connections
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.insert import InsertContext

InsertContext("t", ["a"], [get_from_name("Int64")], data=[[1]])
print(sorted({"numpy", "pandas", "pyarrow", "polars"} & sys.modules.keys()))
import numpy
print(numpy.arange(3).sum())
"""


def test_rows_are_inserted_without_data_frames_and_numpy_can_still_be_imported() -> None:
    done = subprocess.run([sys.executable, "-c", INSERT_ROWS], capture_output=True, text=True, check=False)
    assert (done.stdout.split("\n")[:2], done.stderr) == (["[]", "3"], "")
