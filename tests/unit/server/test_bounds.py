"""How many connections there may be hangs on how many files may be open."""

import subprocess
import sys

import pytest

from sternpost.server.bounds import connections_for


@pytest.mark.parametrize(
    ("files", "asked", "most"),
    [
        (1024, 0, 448),  # (1024 - 128) / 2
        (20_000, 0, 9936),
        (1_048_576, 0, 10_000),
        (1_048_576, 50_000, 50_000),
        (1024, 50_000, 448),
        (20_000, 100, 100),
        (64, 0, 16),
    ],
)
def test_each_connection_may_need_two_files(files: int, asked: int, most: int) -> None:
    assert connections_for(files, asked) == most


def test_the_soft_limit_of_files_rises_to_the_hard_one() -> None:
    program = (
        "import resource; from sternpost.server.bounds import raise_file_limit;"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, 900));"
        "print(raise_file_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["900", "900", "900"]
