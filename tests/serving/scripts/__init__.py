"""What is asked of both servers, one module per theme."""

from . import (
    accounts,
    answers,
    caching,
    classes,
    database,
    failures,
    middleware,
    pieces,
    state,
    uploads,
)
from .base import Scenario

SCENARIOS: tuple[Scenario, ...] = tuple(
    scenario
    for theme in (
        answers,
        failures,
        pieces,
        state,
        accounts,
        caching,
        uploads,
        database,
        classes,
        middleware,
    )
    for scenario in theme.SCENARIOS
    if scenario.applies
)
