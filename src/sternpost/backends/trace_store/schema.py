"""The schema's templates in their order; not how they are applied."""

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

_FOLDER = Path(__file__).parent / "migrations"
_COMMENT = re.compile(r"\s*--[^\n]*")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema. `statements` are ready to run, in order."""

    version: int
    name: str
    statements: tuple[str, ...]


def load_migrations(cluster: str = "") -> tuple[Migration, ...]:
    """Load every step, oldest first; with a cluster's name, for replicated tables on all its machines."""
    variables = {
        "on_cluster": f"ON CLUSTER `{cluster}`" if cluster else "",
        "replicated": "Replicated" if cluster else "",
    }
    return tuple(_load(path, variables) for path in sorted(_FOLDER.glob("[0-9]*.sql")))


def _load(path: Path, variables: dict[str, str]) -> Migration:
    number, _, name = path.stem.partition("_")
    text = Template(_COMMENT.sub("", path.read_text(encoding="utf-8"))).substitute(variables)
    statements = tuple(part.strip() for part in text.split(";") if part.strip())
    return Migration(int(number), name, statements)
