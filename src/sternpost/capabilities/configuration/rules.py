"""Which names differ between two readings, and how a problem is told; values in, values out."""

from collections.abc import Mapping, Sequence

from sternpost.base.clock import utc_text
from sternpost.capabilities.configuration.records import Changes, ConfigurationState, Problem

_MAX_PLACES = 50


def changes_between(
    before: Mapping[str, Mapping[str, object]], after: Mapping[str, Mapping[str, object]]
) -> Changes:
    """Compare two readings by section and name; values are compared and never returned."""
    old, new = _by_name(before), _by_name(after)
    return Changes(
        added=tuple(sorted(new.keys() - old.keys())),
        changed=tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name])),
        removed=tuple(sorted(old.keys() - new.keys())),
    )


def names_in(section: object) -> Mapping[str, object]:
    """Name the entries of a section: a mapping's keys; what an entry of a list is about, e.g. its model."""
    if isinstance(section, Mapping):
        return {str(name): value for name, value in section.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if not isinstance(section, Sequence) or isinstance(section, str):
        return {"": section}
    found: dict[str, list[object]] = {}
    for entry in section:  # pyright: ignore[reportUnknownVariableType]
        found.setdefault(_label(entry), []).append(entry)  # pyright: ignore[reportUnknownArgumentType]
    return found


def places_of(problem: Problem) -> tuple[str, ...]:
    """Return where a file is at fault, at most fifty places: `12: routes.fast.targets.0.model`."""
    places = [f"{fault.line or ''}: {fault.place}".strip(": ") or "file" for fault in problem.faults]
    return tuple(places[:_MAX_PLACES])


def trouble(state: ConfigurationState) -> str:
    """Say what is wrong, for a probe that anybody may read: file and lines, no names; "" when all is well."""
    if state.problem is not None:
        file = _file_name(state.problem.path)
        lines = sorted({fault.line for fault in state.problem.faults if fault.line is not None})
        where = f" (line {', '.join(map(str, lines[:5]))})" if lines else ""
        return (
            f"{file}{where} can't be used; the configuration of {utc_text(state.loaded_ns)} stays in force; "
            "see: sternpost config check"
        )
    if not state.is_as_applied:
        here, applied = state.reading.digest or "none", state.applied_digest or "none"
        return (
            f"the file here has the hash {here}, and {applied} was applied last;"
            " give every machine the same file and reload it"
        )
    return ""


def _by_name(sections: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    return {
        f"{section}.{name}".strip("."): value
        for section, entries in sections.items()
        for name, value in entries.items()
    }


def _label(entry: object) -> str:
    if not isinstance(entry, Mapping):
        return ""
    named = [str(entry[word]) for word in ("model", "scope", "name") if entry.get(word)]  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return "/".join(named)


def _file_name(path: str | None) -> str:
    return path.rpartition("/")[2] if path else "sternpost.yaml"
