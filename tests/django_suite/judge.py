"""What became of the tests, and what of it must not be."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from .apps import group_of
from .expected import LIMITS, Difference, differences, reason_for
from .report import Row

SKIPS_MORE = 5
# Each use of a plan is compared with Django, unless something else is asked for.
PLANS = os.environ.get("TURBO_SUITE_PLANS", "verify")


def kinds(mode: str, outcomes: dict[str, str]) -> dict[str, str]:
    """Return which column of the table each test belongs to."""
    entries = differences()
    return {test: _kind(test, mode, outcome, entries) for test, outcome in outcomes.items()}


def _kind(test: str, mode: str, outcome: str, entries: list[Difference]) -> str:
    if outcome not in {"error", "failure"}:
        return outcome
    reason = reason_for(test, mode, entries)
    if reason is None:
        return "failed"
    return "server" if reason.startswith("server:") else "expected"


def unexpected_of(mode: str, outcomes: dict[str, str]) -> list[str]:
    """Return the tests that failed though nothing says that they may."""
    return sorted(test for test, kind in kinds(mode, outcomes).items() if kind == "failed")


def unneeded(mode: str, outcomes: dict[str, str]) -> list[str]:
    """Return the entries of the list that no test of this mode needed: they may have to go."""
    failed = [test for test, outcome in outcomes.items() if outcome in {"error", "failure"}]
    return [
        entry.pattern
        for entry in differences()
        if mode in entry.modes and not any(reason_for(test, mode, [entry]) for test in failed)
    ]


def rows_of(mode: str, outcomes: dict[str, str]) -> list[Row]:
    """Return a row of figures for each group of applications."""
    counts: dict[str, Counter[str]] = {}
    for test, kind in kinds(mode, outcomes).items():
        counts.setdefault(group_of(_plain(test), mode), Counter())[kind] += 1
    return [Row(mode, group, count) for group, count in sorted(counts.items())]


def _plain(test: str) -> str:
    """Return the id of a test, of a class for `setUpClass (module.Class)`."""
    return test.partition("(")[2].rstrip(")") or test


def problems_of(mode: str, result: dict[str, Any]) -> list[str]:
    """Return what must not be: failures, crashes, synchronous queries, too many exceptions."""
    outcomes = result["outcomes"]
    problems = [f"FAILED in mode {mode}: {test}" for test in unexpected_of(mode, outcomes)]
    problems += [f"A process of mode {mode} died:\n{log}" for log in result["crashed"]]
    if result["plans"]["mismatches"]:
        problems.append(f"mode {mode}: {result['plans']['mismatches']} plans unlike Django")
    if result["synchronous"]:
        problems.append(f"mode {mode}: {result['synchronous']} queries on synchronous connections")
    expected = list(kinds(mode, outcomes).values()).count("expected")
    if expected > LIMITS[mode]:
        problems.append(f"mode {mode}: {expected} differences, at most {LIMITS[mode]} allowed")
    return problems


def of_apps(apps: list[str], outcomes: dict[str, str]) -> dict[str, str]:
    """Return only what became of the tests of these applications."""
    names = {app.partition(".")[0] for app in apps}
    return {test: it for test, it in outcomes.items() if _plain(test).partition(".")[0] in names}


def skips(outcomes: dict[str, str]) -> int:
    """Return how many tests were skipped."""
    return list(outcomes.values()).count("skipped")


def dishonest(mode: str, ours: dict[str, str], plain: dict[str, str]) -> list[str]:
    """Return what the comparison with plain Django shows: nothing may be hidden here.

    Skips that Django does not make, tests that did not run, and failures that are blamed on the
    server though they pass there.
    """
    skipped = [skips(outcomes) for outcomes in (ours, plain)]
    problems = [
        f"mode {mode}: {test} is said to fail because of the server, but passes in plain Django"
        for test, kind in kinds(mode, ours).items()
        if kind == "server" and plain.get(test) == "passed"
    ]
    problems += [f"mode {mode}: {test} did not run" for test in sorted(plain.keys() - ours.keys())]
    if skipped[0] > skipped[1] + SKIPS_MORE:
        problems.append(f"mode {mode} skips {skipped[0]} tests, Django itself {skipped[1]}")
    return problems


def plans_remark(mode: str, plans: Counter[str]) -> str:
    """Return a line on how often a cached plan was used, and why not."""
    counted = {name: plans[name] for name in ("hits", "misses", "fallbacks")}
    reasons = Counter(
        {name: count for name, count in plans.items() if name not in {*counted, "mismatches"}}
    )
    operations = sum(counted.values()) + sum(reasons.values())
    rate = counted["hits"] / operations if operations else 0.0
    listed = ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common())
    return (
        f"- Mode {mode}: plans were used for {counted['hits']:,} of {operations:,} operations "
        f"({rate:.0%}), made for {counted['misses']:,}, did not fit {counted['fallbacks']:,} "
        f"times; {plans['mismatches']} mismatches with Django (`PLANS = {PLANS!r}`). Left to "
        f"Django: {listed or 'nothing'}."
    )


def remark(mode: str, result: dict[str, Any], plain: dict[str, str] | None) -> str:
    """Return a line on what the table does not show: how the statements went, what was skipped."""
    text = (
        f"- Mode {mode}: {result['bridged']:,} times something was asked of the server through the "
        f"bridge, {result['synchronous']} times over a synchronous connection."
    )
    if plain is None:
        return text
    ours = result["outcomes"]
    return (
        f"{text} Plain Django ran {len(plain)} tests and skipped {skips(plain)}; this mode ran "
        f"{len(ours)} and skipped {skips(ours)}."
    )
