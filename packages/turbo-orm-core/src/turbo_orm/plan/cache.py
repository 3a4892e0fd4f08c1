"""The tree of known shapes and the plans at its nodes, bounded; emptied when settings change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.db.models.signals import class_prepared

from ..conf import TurboSettings, get_settings
from . import stats
from .wishes import Wishes

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from .guards import Guard
    from .plan import Plan

# Nodes are small, and most lead to a plan.
NODES_PER_PLAN = 20


class Unplanned:
    """Remembers that Django itself must execute a shape."""

    __slots__ = ("attempts", "reason")

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.attempts = 1


class Node:
    """A shape: that of a chain of queryset methods."""

    __slots__ = (
        *("attributes", "by_time_zone", "checks", "children", "distinct_fields", "first_by_pk"),
        *("generation", "grouped", "intact", "key", "ordered", "ordering", "parent", "plans"),
        *("root", "sliced", "sticky", "total", "watchful", "wishes"),
    )

    def __init__(
        self, parent: Node | None, key: Any, total: int, built: QuerySet[Any], generation: int
    ) -> None:
        self.parent = parent
        self.key = key
        self.generation = generation
        # At the root of a tree: the empty chain of the model, and its ``Meta.ordering``.
        self.root: Any = None
        self.ordering: Any = None
        # How many values the chain has up to here.
        self.total = total
        self.children: dict[Any, Node] = {}
        self.plans: dict[Any, Plan | Unplanned] = {}
        # Per value of this step: None, or what must look at it when the step is recorded. Unknown
        # until a plan was made of this step or one that follows.
        self.checks: tuple[Any, ...] | None = None
        # Whether any of them looks, and what tells whether it looks as Django would.
        self.watchful = False
        self.intact: Guard = bool
        if parent is None or total == parent.total:
            self.checks = ()
        # What the step sets on the queryset beside its query.
        self.attributes: Mapping[str, Any] | None = None
        query: Any = built.query
        self.sticky = bool(query.filter_is_sticky)
        self.sliced = bool(query.is_sliced)
        self.ordered = bool(built.ordered)
        self.grouped = query.group_by is not None
        self.distinct_fields: tuple[Any, ...] = query.distinct_fields
        self.first_by_pk = bool(query.default_ordering)
        self.wishes = Wishes.of(query)
        # The terminals whose SQL depends on the current time zone.
        self.by_time_zone: set[Any] = set()


class Cache:
    """Every shape and plan of this process."""

    def __init__(self) -> None:
        self.roots: dict[Any, Node] = {}
        self.plans: OrderedDict[Plan, None] = OrderedDict()
        self.nodes = 0
        self.generation = 0
        self.configure()

    def configure(self) -> None:
        """Read the settings."""
        try:
            settings = get_settings()
        except ImproperlyConfigured:
            # The system check says so; whoever reads the setting itself gets the error.
            settings = TurboSettings(PLANS="off")
        size: object = settings.PLAN_CACHE_SIZE
        # A system check complains of anything else.
        self.limit = size if isinstance(size, int) else 0
        self.enabled = settings.PLANS in {"on", "verify"} and self.limit > 0
        self.verifying = settings.PLANS == "verify"

    def add_node(self, parent: Node | None, key: Any, total: int, built: QuerySet[Any]) -> Node:
        """Make the node of a shape that was seen for the first time."""
        if self.nodes >= self.limit * NODES_PER_PLAN:
            self.clear()
        self.nodes += 1
        node = Node(parent, key, total, built, self.generation)
        (self.roots if parent is None else parent.children)[key] = node
        return node

    def add_plan(self, node: Node, key: Any, plan: Plan) -> None:
        """Keep a plan, and drop the one that was not used for the longest time."""
        node.plans[key] = plan
        plan.place = (node, key)
        self.plans[plan] = None
        while len(self.plans) > self.limit:
            oldest, _ = self.plans.popitem(last=False)
            self._drop(oldest)

    def touch(self, plan: Any) -> None:
        """Note that a plan was used."""
        try:
            self.plans.move_to_end(plan)
        except KeyError:
            # Another thread's loop has dropped it meanwhile.
            return

    def add_unplanned(self, node: Node, key: Any, unplanned: Unplanned) -> None:
        """Remember that there is no plan; what is remembered is bounded as nodes are."""
        if key not in node.plans:
            if self.nodes >= self.limit * NODES_PER_PLAN:
                self.clear()
            self.nodes += 1
        node.plans[key] = unplanned

    def _drop(self, plan: Plan) -> None:
        assert plan.place is not None
        node, key = plan.place
        node.plans.pop(key, None)
        # If it is used again, that is found out again.
        node.by_time_zone.discard(key[0])
        while node.parent is not None and not node.plans and not node.children:
            if node.parent.children.get(node.key) is node:
                del node.parent.children[node.key]
                self.nodes -= 1
            node = node.parent

    def clear(self) -> None:
        """Forget everything; querysets that were recorded before are then executed by Django."""
        self.generation += 1
        self.roots.clear()
        self.plans.clear()
        self.nodes = 0


cache = Cache()


def clear_plans() -> None:
    """Forget every plan, and count hits and misses anew."""
    cache.clear()
    stats.counts.clear()
    stats.unplanned.clear()


def _settings_changed(*, setting: str, **kwargs: Any) -> None:
    # Any of them may go into SQL or parameters, and outside tests none ever changes.
    get_settings.cache_clear()
    cache.clear()
    cache.configure()


def _model_made(**kwargs: Any) -> None:
    cache.clear()


setting_changed.connect(_settings_changed, dispatch_uid="turbo_orm.plan")
class_prepared.connect(_model_made, dispatch_uid="turbo_orm.plan")
