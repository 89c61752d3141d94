"""What the demo prints at its end can be pasted, and says how to choose another folder and port."""

import subprocess
from pathlib import Path

from sternpost.cli.demo import next_steps

ROOT = Path(__file__).resolve().parents[3]


def test_the_printed_make_starts_the_demo_on_the_folder_and_port_it_names(tmp_path: Path) -> None:
    lines = next_steps(ROOT, tmp_path / "a demo", "http://127.0.0.1:4100", "sp-x")
    (line,) = [line for line in lines if "make -C" in line]
    command = "make -n" + line.split("make", 1)[1]
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    assert f'demo --home "{tmp_path}/a demo-2" --port 4200' in done.stdout


def test_commands_name_the_demo_s_folder(tmp_path: Path) -> None:
    lines = next_steps(ROOT, tmp_path, "http://127.0.0.1:4100", "sp-x")
    (line,) = [line for line in lines if "sternpost trace list" in line]
    assert line.endswith(f"trace list --home {tmp_path}")
