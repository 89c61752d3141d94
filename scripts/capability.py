"""Writes a new capability in its full shape: `python scripts/capability.py notes [--one note]`.

Every file stands as a template in `capability_templates`; `CONTRIBUTING.md` says what to do with them next.
"""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = Path(__file__).with_name("capability_templates")
MIGRATIONS = ROOT / "src/sternpost/backends/tables/migrations/versions"
PAGES = ROOT / "web/src/app/pages.ts"
ROUTER = ROOT / "web/src/app/router.tsx"
DOCS = ROOT / "docs/README.md"
EVENTS = ROOT / "src/sternpost/contracts/events.py"
KINDS = ROOT / "docs/how-to/see-what-changed.md"
_BODIES = """@dataclass(frozen=True, slots=True)
class @Thing@Created:
    KIND: ClassVar = "@thing@.created"
    after: Facts


@dataclass(frozen=True, slots=True)
class @Thing@Deleted:
    KIND: ClassVar = "@thing@.deleted"
    before: Facts


"""


def words_of(things: str, thing: str) -> dict[str, str]:
    """Return what stands for what in a template."""
    newest = max(path.name[1:5] for path in MIGRATIONS.glob("v*.py"))
    return {
        "@things@": things,
        "@Things@": things.capitalize(),
        "@thing@": thing,
        "@Thing@": thing.capitalize(),
        "@revision@": f"{int(newest) + 1:04}",
        "@before@": newest,
    }


def filled(text: str, words: dict[str, str]) -> str:
    for placeholder, word in words.items():
        text = text.replace(placeholder, word)
    return text


def files(words: dict[str, str]) -> dict[Path, str]:
    """Return every new file with its text."""
    return {
        ROOT / filled(str(path.relative_to(TEMPLATES)), words).removesuffix(".tmpl"): filled(
            path.read_text(encoding="utf-8"), words
        )
        for path in sorted(TEMPLATES.rglob("*.tmpl"))
    }


def after(text: str, anchor: str, line: str) -> str:
    """Insert a line behind the one that holds an anchor; the web app's router is typed, so it names its pages."""
    if text.count(anchor) != 1:
        sys.exit(f"expected to find {anchor!r} once; mend scripts/capability.py")
    head, tail = text.split(anchor)
    rest, newline, behind = tail.partition("\n")
    return f"{head}{anchor}{rest}{newline}{line}{behind}"


def changes(words: dict[str, str]) -> dict[Path, str]:
    """Return what names the new capability: the web app's typed router, the kinds of event, lists of the docs."""
    things, title = words["@things@"], words["@Things@"]
    pages = PAGES.read_text(encoding="utf-8")
    taken = set(re.findall(r'letter: "(.)"', pages))
    letter = next(one for one in [*things, *"abcdefghijklmnopqrstuvwxyz"] if one not in taken)
    entry = f'  {{ to: "/{things}", title: "{title}", letter: "{letter}", icon: "batches", words: "{things}" }},\n'
    pages = after(pages.replace(' | "/connect";', f' | "/{things}" | "/connect";'), '{ to: "/changes"', entry)
    router = ROUTER.read_text(encoding="utf-8")
    route = (
        f"const {things} = createRoute({{\n  getParentRoute: () => shell,\n"
        f'  path: "/{things}",\n'
        f'  component: lazyRouteComponent(() => import("@/capabilities/{things}/page"), "{title}Page"),\n}});\n\n'
    )
    router = router.replace("const unknown = createRoute", f"{route}const unknown = createRoute")
    router = router.replace("start, unknown])", f"{things}, start, unknown])")
    docs = after(
        DOCS.read_text(encoding="utf-8"),
        "(how-to/find-traces.md)",
        f"- [Keep {things}](how-to/{things}.md)\n",
    )
    return {PAGES: pages, ROUTER: router, DOCS: docs, **_events(words)}


def _events(words: dict[str, str]) -> dict[Path, str]:
    """Return the closed set of events, and their table in the docs, with those of the capability."""
    thing, union = words["@thing@"], "EventBody: TypeAlias = (\n"
    head, bodies = EVENTS.read_text(encoding="utf-8").split(union)
    names = bodies.rstrip().removesuffix(")")
    kinds = filled("    | @Thing@Created\n    | @Thing@Deleted\n)\n", words)
    row = f"| `{thing}.created`, `{thing}.deleted` | a {thing} is created or deleted, also because it is old |\n"
    table = after(KINDS.read_text(encoding="utf-8"), "| `traces.deletion_requested`", row)
    return {EVENTS: head + filled(_BODIES, words) + union + names + kinds, KINDS: table}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="the noun in the plural, in lower case: notes")
    parser.add_argument("--one", help="the noun in the singular; else without its last s")
    asked = parser.parse_args()
    things, thing = asked.name, asked.one or asked.name.removesuffix("s")
    if not re.fullmatch("[a-z]{3,20}", things) or not re.fullmatch("[a-z]{3,20}", thing) or things == thing:
        sys.exit("the name is a noun in the plural, in lower case, e.g. notes; --one gives the singular")
    words = words_of(things, thing)
    written = files(words)
    if there := [path for path in written if path.exists()]:
        sys.exit(f"there already: {', '.join(str(path.relative_to(ROOT)) for path in there)}")
    for path, text in {**written, **changes(words)}.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
