"""Every source stays small: files, functions and parameters."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for path in (ROOT / "src" / "sternpost").rglob("*.py") if "_ui" not in path.parts)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
WEB = sorted(path for end in ("*.ts", "*.tsx") for path in (ROOT / "web" / "src").rglob(end))
WAIVERS = tomllib.loads((Path(__file__).with_name("waivers.toml")).read_text())

MAX_NESTING = 3
_BLOCKS = (ast.For, ast.While, ast.If, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _nesting(node: ast.AST, depth: int = 0) -> int:
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse
        step = isinstance(child, _BLOCKS) and not is_elif
        deepest = max(deepest, _nesting(child, depth + step))
    return deepest


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        pytest.param(SOURCES, 400, id="src"),
        pytest.param(TESTS, 600, id="tests"),
        pytest.param(WEB, 300, id="web"),
    ],
)
def test_no_file_is_over_its_limit_of_lines(files: list[Path], limit: int) -> None:
    generated = {"client"}
    long = {_name(p): _lines(p) for p in files if _lines(p) > limit and not generated & set(p.parts)}
    assert long == {}


def test_no_function_is_over_60_lines_or_takes_more_than_7_parameters() -> None:
    found: list[str] = []
    for path in SOURCES:
        for function in _functions(path):
            length = (function.end_lineno or function.lineno) - function.lineno + 1
            arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            parameters = [one for one in arguments if one.arg not in {"self", "cls"}]
            place = f"{_name(path)}:{function.name}"
            if (length > 60 or len(parameters) > 7) and place not in WAIVERS:
                found.append(f"{place} ({length} lines, {len(parameters)} parameters)")
    assert found == []


def test_no_function_nests_deeper_than_3_blocks() -> None:
    deep = [
        f"{_name(path)}:{function.name}"
        for path in SOURCES
        for function in _functions(path)
        if _nesting(function) > MAX_NESTING and f"{_name(path)}:{function.name}" not in WAIVERS
    ]
    assert deep == []


def test_every_module_says_what_it_owns() -> None:
    silent = [
        _name(path) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_no_waiver_outlives_its_reason() -> None:
    known = {f"{_name(path)}:{function.name}" for path in SOURCES for function in _functions(path)}
    assert set(WAIVERS) - known == set()
