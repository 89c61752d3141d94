"""Identifiers stay unique whoever makes them."""

import subprocess
import sys

_FORKS = """
import os
from sternpost.base.ids import new_trace_id
new_trace_id()
read, write = os.pipe()
if not os.fork():
    os.write(write, new_trace_id().encode())
    os._exit(0)
os.wait()
print(os.read(read, 32).decode() != new_trace_id())
"""


def test_a_forked_application_makes_ids_of_its_own() -> None:
    answer = subprocess.run([sys.executable, "-c", _FORKS], capture_output=True, text=True, check=True)
    assert answer.stdout == "True\n"
