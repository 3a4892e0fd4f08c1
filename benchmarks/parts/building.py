"""What building a query and making it SQL costs, by a plan and as Django does it."""

from __future__ import annotations

from ..context import Context, Results, tell
from ..crew import Member, Unavailable, hired
from ..micro import SHAPES
from ..peers import PEERS

# What can build a query without running it.
BUILDERS = ("turbo", "django")
SECONDS = 0.1


def run(context: Context) -> Results:
    """Return the samples by shape and system."""
    options = context.options
    builders = [system for system in BUILDERS if system in options.systems]
    results: Results = {shape: {} for shape in SHAPES}
    if options.check or not builders:
        return {"building": results}
    with hired(builders, context.conninfo, 1) as (members, missing):
        context.note_crew(members, missing)
        for shape, samples in results.items():
            for system, member in members.items():
                if can_build(context, member, shape):
                    samples[system] = []
        for _ in range(options.rounds):
            for shape, samples in results.items():
                for system, taken in samples.items():
                    order = {"shape": shape, "seconds": min(SECONDS, options.seconds)}
                    taken.append(members[system].ask("build", **order))
    tell("queries have been built")
    return {"building": results}


def can_build(context: Context, member: Member, shape: str) -> bool:
    """Tell whether a system can build a query of this shape; the first try is not counted."""
    try:
        member.ask("build", shape=shape, seconds=0.01)
    except Unavailable as error:
        context.note(f"{PEERS[member.system].title}: {error}")
        return False
    return True
