"""What operations in flight cost the client in memory, and how many backends they occupy."""

from __future__ import annotations

from ..context import Context, Results, tell
from ..crew import Unavailable, hired
from ..peers import PEERS

IN_FLIGHT = 200


def run(context: Context) -> Results:
    """Return by system what each of many waiting operations costs; each in a new process."""
    options = context.options
    results: Results = {}
    if options.check:
        return {"memory": results}
    for system in options.systems:
        with hired([system], context.conninfo, options.pool) as (members, missing):
            context.note_crew(members, missing)
            if system not in members:
                continue
            try:
                results[system] = members[system].ask("footprint", tasks=IN_FLIGHT)
            except Unavailable as error:
                context.note(f"{PEERS[system].title}, memory: {error}")
        tell(f"memory: {PEERS[system].title}")
    return {"memory": results, "in_flight": IN_FLIGHT}
