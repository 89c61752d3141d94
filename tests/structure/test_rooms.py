"""The rooms keep their promises: layers, no logic in contracts, one reader of the environment."""

import ast
import re
import subprocess
import sys
from pathlib import Path

from sternpost.assembly.environment import setting_names
from sternpost.base import errors

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "sternpost"
FORBIDDEN_WORDS = {"manager", "helper", "helpers", "utils", "util", "misc"}


def _sources(folder: Path = PACKAGE) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "_ui" not in path.parts)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_layers_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout


def test_contracts_hold_no_logic_and_stay_small() -> None:
    """A contract may declare; a body is a docstring, `...` or nothing else."""
    busy: list[str] = []
    for path in _sources(PACKAGE / "contracts"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            is_masking = path.name == "provider.py" and node.name == "__str__"  # Secret never shows itself
            if not is_masking and not all(isinstance(line, ast.Expr) for line in node.body):
                busy.append(f"{_name(path)}:{node.name}")
    assert busy == []
    total = sum(path.read_text(encoding="utf-8").count("\n") for path in _sources(PACKAGE / "contracts"))
    assert total <= 3000  # docs/decisions/0023


def test_only_assembly_and_the_sdk_read_the_environment() -> None:
    allowed = {"assembly", "sdk"}  # the SDK runs in the application's process, not in Sternpost's
    readers = [
        _name(path)
        for path in _sources()
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text(encoding="utf-8"))
        and path.relative_to(PACKAGE).parts[0] not in allowed
    ]
    assert readers == []


def test_settings_enter_once_and_stay_few() -> None:
    assert len(setting_names()) <= 60


def test_no_name_says_nothing() -> None:
    vague = [
        _name(path)
        for path in _sources()
        if path.stem in FORBIDDEN_WORDS or path.parent.name in FORBIDDEN_WORDS
    ]
    assert vague == []


def test_capabilities_have_the_shape_of_a_capability() -> None:
    for folder in sorted((PACKAGE / "capabilities").iterdir()):
        if not folder.is_dir() or folder.name.startswith("__"):
            continue
        names = {path.stem for path in folder.iterdir()}
        assert {"records", "rules", "service", "README"} <= names, folder.name


def test_errors_have_a_code_a_status_and_stand_in_the_tree() -> None:
    tree = errors.__doc__ or ""
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.SternpostError):
            assert name in tree, f"{name} is missing from the tree in base/errors.py"
            assert kind.code
            assert 400 <= kind.status <= 599


def test_no_place_is_left_hollow() -> None:
    pattern = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError|coming soon|not implemented yet")
    hollow = [_name(path) for path in _sources() if pattern.search(path.read_text(encoding="utf-8"))]
    assert hollow == []
