"""What the documentation shows of a run: written from its file, never by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import goals, plots, tables
from .context import Results, tell
from .environments import ROOT
from .peers import PEERS
from .served.report import header, row

PICTURES = ROOT / "docs" / "performance"
PAGE = ROOT / "docs" / "performance.md"
README = ROOT / "README.md"
# The short table's: what users do most.
SHORT = {
    "get": "by primary key",
    "newest": "list of 20",
    "joined": "with authors",
    "labelled": "with labels",
    "create": "create",
    "transaction": "transaction",
}
SHORT_AT = "20"
BEGIN, END = "<!-- {name}: begin -->", "<!-- {name}: end -->"


def update(found: Results, source: Path) -> list[Path]:
    """Draw the pictures, and write the tables of both pages; return what was written."""
    written = plots.draw(found, PICTURES)
    for path, name, lines in (
        (PAGE, "results", whole(found, source)),
        (README, "short results", short(found)),
    ):
        replace(path, name, lines)
        written.append(path)
    tell(f"wrote {', '.join(str(path.relative_to(ROOT)) for path in written)}")
    return written


def replace(path: Path, name: str, lines: Iterable[str]) -> None:
    """Replace what stands between the marks of a page."""
    begin, end = BEGIN.format(name=name), END.format(name=name)
    text = path.read_text()
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"{path.relative_to(ROOT)} has no place marked {begin} ... {end}.")
    # Two bare asterisks in a line would make what is between them slanted.
    shown = (line.replace(" a*", " `a*`") for line in lines)
    between = "\n".join([begin, "", *shown, "", end])
    path.write_text(pattern.sub(lambda _: between, text, count=1))


def short(found: Results) -> Iterator[str]:
    """Yield the table of the README."""
    results = found["operations"]
    cases = [case for case in SHORT if SHORT_AT in results.get(case, {})]
    yield from header("", [SHORT[case] for case in cases])
    for system in tables.systems_of(found):
        cells = [tables.cell(results[case][SHORT_AT], system) for case in cases]
        yield row(PEERS[system].title, cells)


def whole(found: Results, source: Path) -> Iterator[str]:
    """Yield all that docs/performance.md shows of a run."""
    yield from taken_on(found, source)
    yield from picture("operations", "Operations per second by system")
    yield from tables.summaries(found)
    yield from goals.verdict(found)
    yield from goals.goals(found)
    yield from tables.pages(found)
    yield from tables.memory(found)
    yield from picture("concurrency", "Latency against the number of tasks")
    yield from picture("rows", "Time against the number of rows")
    yield from tables.growth(found)
    yield from tables.building(found)
    yield from folded("Each operation: latencies, spread and processor time", tables.details(found))
    yield from folded("Versions", versions(found))
    yield from tables.notes(found)


def taken_on(found: Results, source: Path) -> Iterator[str]:
    """Yield what the figures were taken on."""
    machine, server = found["machine"], found["postgresql"]
    settings = ", ".join(f"{name} {value}" for name, value in server.items())
    yield (
        f"Taken on {found['when'][:10]} at commit {found['commit']}, in {found['seconds']} s: "
        f"{machine['cores']} cores of {machine['processor']}, {machine['memory_gib']} GiB, "
        f"{machine['system']}, Python {found['python']}; PostgreSQL: {settings}. "
        f"Every sample: [{source.name}]({relative(source)})."
    )


def relative(source: Path) -> str:
    """Return where the results' file lies, as seen from docs/."""
    return f"../benchmarks/results/{source.name}"


def picture(name: str, title: str) -> Iterator[str]:
    """Yield a picture, if it was drawn."""
    if (PICTURES / f"{name}.svg").exists():
        yield from ("", f"![{title}](performance/{name}.svg)")


def folded(title: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield what few readers want to see at once."""
    yield from ("", "<details>", f"<summary>{title}</summary>")
    yield from lines
    yield from ("", "</details>")


def versions(found: Results) -> Iterator[str]:
    """Yield what each system is built on."""
    yield ""
    for system, packages in found["versions"].items():
        title = PEERS[system].title if system in PEERS else system
        yield f"- {title}: {', '.join(f'{name} {version}' for name, version in packages.items())}"
