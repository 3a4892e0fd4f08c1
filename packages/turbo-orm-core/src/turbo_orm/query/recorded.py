"""A queryset that records its chain, and builds Django's ``Query`` only when somebody asks."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from django.db.models import Model, QuerySet

from ..plan import record as recording
from ..plan.cache import Node, cache
from ..plan.guards import Guard, guard
from ..plan.originals import original, remember
from ..plan.record import Record, Step
from ..plan.skipped import BEGINNING, STEPS

if TYPE_CHECKING:

    class Base(QuerySet[Any, Any]):
        """What the stubs do not tell of Django's queryset."""

        _cloning_enabled: bool
        _db: str | None
        _fields: Any
        _defer_next_filter: Any
        _hints: Any
        _known_related_objects: Any
        _prefetch_done: bool
        _prefetch_related_lookups: Any
        _result_cache: Any
        _sticky_filter: bool

        def _chain(self) -> Any: ...
        def _clone(self) -> Any: ...
        def _fetch_all(self) -> None: ...
        def _prefetch_related_objects(self) -> None: ...
        def _update(self, values: Any, *returning: Any) -> Any: ...

else:
    Base = QuerySet

# Given to Django's constructor where the query is not built yet; never looked at.
UNBUILT: Any = object()
# The query of a recorded queryset that Django clones.
CHAINED = SimpleNamespace(chain=lambda: UNBUILT)
# Where the filter of a relation waits until somebody needs it.
DEFERRED = "deferred_step"
# What a queryset keeps when it becomes what a step has made of it.
KEPT = ("_cloning_enabled", "_known_related_objects", "_result_cache", "_prefetch_done")
# What a step of Django's may set on a queryset beside its query.
STEP_ATTRIBUTES = ("_fields", "_iterable_class")


def _copied_attributes() -> tuple[str, ...]:
    """Return what Django's ``_clone()`` copies, by trying: the list differs between versions."""
    query: Any = SimpleNamespace(chain=lambda: query)
    probe: Any = QuerySet(model=Model, query=query)
    values = {name: (object(),) for name in vars(probe)}
    given = {name: values[name] for name in values if name not in {"model", "_query", "_hints"}}
    given["_deferred_filter"] = given["_defer_next_filter"] = None  # type: ignore[assignment]
    probe.__dict__.update(given)
    clone = vars(probe._clone())
    copied = [name for name, value in given.items() if clone[name] is value is not None]
    return ("model", "_hints", *copied)


COPIED = _copied_attributes()
# Others replace them: strawberry-django and cacheops that which clones.
CONSTRUCTOR, CLONE = original(QuerySet, "__init__"), original(QuerySet, "_clone")
ORDERED = original(QuerySet, "ordered")
# What Django's constructor sets; and of that, what cloning does not copy.
NEW = {name: value for name, value in vars(QuerySet(query=UNBUILT)).items() if name != "_query"}
FRESH = {name: value for name, value in NEW.items() if name not in COPIED}


class _DeferredRecord:
    """Finds the record of a queryset that has none of its own: it may still have to be made."""

    def __get__(self, queryset: Any, owner: Any) -> Any:
        step = None if queryset is None else queryset.__dict__.pop(DEFERRED, None)
        if step is None:
            return None
        state = queryset.__dict__
        record, name, args, kwargs = step
        state["_record"] = record
        try:
            made = queryset._condition(name, args, kwargs)
        except BaseException:
            # It is an error each time.
            del state["_record"]
            state[DEFERRED] = step
            raise
        _adopt(queryset, made)
        return state.get("_record")


def _adopt(queryset: Any, made: Any) -> None:
    """Let a queryset be what a step has made of it."""
    kept = {name: queryset.__dict__[name] for name in KEPT if name in queryset.__dict__}
    for name in ("_record", "built_query", DEFERRED):
        queryset.__dict__.pop(name, None)
    queryset.__dict__.update({**made.__dict__, **kept})


class RecordedQuerySet(Base):
    """Mixed into ``AsyncQuerySet``; for everybody else simply a queryset of Django's.

    Whoever looks at ``query`` gets Django's, and from then on the queryset is not recorded.
    """

    # Its chain, None if it is not recorded: mostly an attribute of the instance.
    _record: Any = _DeferredRecord()
    # Before Django 6.1 a queryset cannot be told to change in place.
    _cloning_enabled = True

    def __init__(
        self, model: Any = None, query: Any = None, using: str | None = None, hints: Any = None
    ) -> None:
        if query is not None or not _guard_of_chains(type(self))():
            super().__init__(model, query, using, hints)
            return
        record = recording.root(model)
        if record is not None and _has_djangos_constructor(type(self)):
            # What it would set, without calling it: every chain begins here.
            state = self.__dict__
            state.update(NEW)
            state["model"], state["_db"], state["_hints"] = model, using, hints or {}
            state["_known_related_objects"], state["_record"] = {}, record
            return
        super().__init__(model, None if record is None else UNBUILT, using, hints)
        self._record = record

    def _records(self, name: str) -> bool:
        """Tell whether a step may be recorded: nobody has replaced what that skips."""
        if _guard_of_step(type(self), name)():
            return True
        # Django does it, on its query if that was built before.
        self.__dict__.pop("glimpse", None)
        self.query  # noqa: B018
        return False

    @property
    def _query(self) -> Any:
        query = self._build_query()
        # A step of Django's changes it.
        self._record = None
        return query

    @_query.setter
    def _query(self, query: Any) -> None:
        if query is not UNBUILT:
            self.__dict__["built_query"] = query

    @property
    def query(self) -> Any:
        """Django's ``Query``; looking at it ends the recording, since it may be changed."""
        if self._record is not None:
            if "glimpse" in self.__dict__:
                return self.__dict__["glimpse"]
            self._build_query()
            self._record = None
        return QuerySet.query.fget(self)  # type: ignore[attr-defined]

    @query.setter
    def query(self, query: Any) -> None:
        self._record = None
        QuerySet.query.fset(self, query)  # type: ignore[attr-defined]

    def _build_query(self) -> Any:
        """Return the query that Django makes of the recorded chain, made if need be."""
        record = self._record
        query = self.__dict__.get("built_query")
        if query is None and record is not None:
            query = recording.build(self.model, record).query
            self.__dict__["built_query"] = query
        return query

    def __deepcopy__(self, memo: Any) -> Any:
        # A related manager's filter is done first: the copy would not know that it is missing.
        self._record  # noqa: B018
        copied = super().__deepcopy__(memo)
        if "built_query" not in self.__dict__:
            # Django begins with an empty queryset that has no model.
            copied.__dict__.pop("built_query", None)
        return copied

    def __getstate__(self) -> dict[str, Any]:
        if self._record is not None:
            self._build_query()
        state: dict[str, Any] = super().__getstate__()
        state.pop("_record", None)
        state["_query"] = state.pop("built_query")
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        query = state.pop("_query", None)
        super().__setstate__(state)  # type: ignore[misc]
        self._query = query

    @property
    def ordered(self) -> bool:
        """Whether the queryset has an order; see Django's property."""
        if self._record is not None and QuerySet.ordered is ORDERED:
            return bool(self._record.node.ordered)
        ordered: bool = super().ordered
        return ordered

    def _clone(self) -> Any:
        record = self._record
        if record is None:
            return super()._clone()
        if QuerySet._clone is not CLONE:  # type: ignore[attr-defined]
            return self._clone_by_others(record)
        cls = type(self)
        clone: Any
        if cls.__init__ is RecordedQuerySet.__init__ and _has_djangos_constructor(cls):
            # What it would set, without calling it: every step of every chain comes by here.
            clone = cls.__new__(cls)
            clone.__dict__.update(FRESH)
        else:
            clone = cls(model=self.model, query=UNBUILT, using=self._db, hints=self._hints)
        ours, theirs = self.__dict__, clone.__dict__
        for name in COPIED:
            theirs[name] = ours[name]
        theirs["_record"] = record
        if record.pending and not record.settled:
            clone._query = self._build_query().chain()
        return clone

    def _clone_by_others(self, record: Record) -> Any:
        """Clone through a function that somebody put in the place of Django's."""
        twin = self._twin()
        twin.__dict__["glimpse"] = CHAINED
        clone = super(RecordedQuerySet, twin)._clone()
        clone._record = record
        if record.pending and not record.settled:
            clone._query = self._build_query().chain()
        return clone

    def _twin(self) -> Any:
        """Return the same queryset once more; another task may use this one meanwhile."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def _chain(self) -> Any:
        record = self._record
        if record is None or not self._cloning_enabled or self._sticky_filter:
            return super()._chain()
        if not self._records("_chain"):
            return super()._chain()
        if record.node.sticky:
            # The stickiness of a filter lasts until the next step, whatever that is.
            return self._take_step(record, ("chain",), [], step=recording.chain, payload=None)
        return self._clone()

    def _plain(self) -> Any:
        """Return a copy that is not recorded, on which Django's methods can be called."""
        plain = self._clone()
        query: Any = self.__dict__.get("built_query")
        plain._record = None
        if query is None and self._record is not None:
            plain._query = recording.build(self.model, self._record).query
        else:
            plain._query = query.chain()
            # The method that is called on it chains once more, which would end it too early.
            plain._query.filter_is_sticky = query.filter_is_sticky
        return plain

    def _take_step(
        self,
        record: Record,
        key: Any,
        values: list[Any],
        *,
        step: Step,
        payload: Any,
        first_time: Callable[[Any], Any] | None = None,
    ) -> Any:
        """Return the queryset after one more step: recorded if it is known, else by Django.

        Args:
            record: the chain up to here.
            key: the shape of the step.
            values: its values.
            step: does it on a queryset of Django's.
            payload: what ``step`` is given.
            first_time: what Django's user wrote, if that is not the same.
        """
        if self._sticky_filter:
            key, step, payload = ("sticky", key), recording.sticky, (step, payload)
        child = record.node.children.get(key)
        if child is not None and child.generation != cache.generation:
            # The chain is older than the plans that there are.
            child = None
        if child is not None and _is_known(record, child):
            known = self._known_step(record, child, values, step, payload)
            if known is not None:
                known._sticky_filter = False
                return known
        plain = self._plain()
        made = step(plain, payload) if first_time is None else first_time(plain)
        total = record.node.total + len(values)
        if child is None:
            child = cache.add_node(record.node, key, total, made)
            child.attributes = {
                name: getattr(made, name)
                for name in STEP_ATTRIBUTES
                if getattr(made, name) is not getattr(self, name)
            }
        pending = record.pending or bool(values)
        values = [*record.values, *values]
        made._record = Record(child, tuple(values), record, step, payload, pending=pending)
        return made

    def _known_step(
        self, record: Record, child: Node, values: list[Any], step: Step, payload: Any
    ) -> Any:
        if child.watchful:
            if not child.intact():
                # Django asks a method that somebody has replaced.
                return None
            try:
                payload = _checked(child.checks, values, payload)
            except Exception:
                # Django says what is wrong with them.
                return None
        clone = self._clone()
        clone._record = Record(
            child, (*record.values, *values) if values else record.values, record, step, payload
        )
        if child.attributes:
            clone.__dict__.update(child.attributes)
        return clone

    def _condition(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        record = self._record
        assert record is not None
        deferred, self._defer_next_filter = self._defer_next_filter, False
        shaped = recording.shape_of_conditions(name, args, kwargs)
        if shaped is not None and not self._sticky_filter:
            key, values, children = shaped
            child = record.node.children.get(key)
            if child is not None and _is_known(record, child):
                known = self._known_step(
                    record, child, values, recording.condition, (name, children)
                )
                if known is not None:
                    return known

        if deferred:
            return self._deferred(record, name, args, kwargs)

        def first_time(plain: Any) -> Any:
            return getattr(QuerySet, name)(plain, *args, **kwargs)

        if shaped is None:
            return first_time(self._plain())
        key, values, children = shaped
        return self._take_step(
            record,
            key,
            values,
            step=recording.condition,
            payload=(name, children),
            first_time=first_time,
        )

    def _deferred(
        self, record: Record, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        """Return the queryset after a filter that is done, or fails, when it is needed.

        Django asks for that in its related managers: most of them are never executed, since their
        rows were prefetched.
        """
        clone = self._clone()
        clone.__dict__.pop("_record", None)
        clone.__dict__[DEFERRED] = (record, name, args, kwargs)
        return clone

    def _static(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        record = self._record
        assert record is not None
        key = recording.shape_of_call(name, args, kwargs)
        child = None if self._sticky_filter else record.node.children.get(key)
        if child is not None and _is_known(record, child):
            payload = (name, args, kwargs)
            return self._known_step(record, child, [], recording.method, payload)
        if key is None:
            return getattr(QuerySet, name)(self._plain(), *args, **kwargs)
        return self._take_step(record, key, [], step=recording.method, payload=(name, args, kwargs))

    def prefetch_related(self, *lookups: Any) -> Any:
        """Return a queryset that also fetches related objects; see Django's method."""
        if self._record is None or not self._cloning_enabled:
            return super().prefetch_related(*lookups)
        if not self._records("prefetch_related"):
            return super().prefetch_related(*lookups)
        # Django's method asks the query only for what a recorded chain cannot have.
        stand_in = SimpleNamespace(
            _not_support_combined_queries=str,
            _chain=self._chain,
            query=SimpleNamespace(_filtered_relations={}),
        )
        djangos: Any = QuerySet.prefetch_related
        return djangos(stand_in, *lookups)

    def __getitem__(self, key: Any) -> Any:
        record = self._record
        if record is None or self._result_cache is not None or not self._cloning_enabled:
            return super().__getitem__(key)
        if not self._records("__getitem__"):
            return super().__getitem__(key)
        bounds = recording.shape_of_slice(key, sliced=record.node.sliced)
        if bounds is None:
            return super().__getitem__(key)
        start, stop = bounds
        shape = ("slice", bool(start), stop is not None)
        child = None if self._sticky_filter else record.node.children.get(shape)
        if child is not None and _is_known(record, child):
            values = [start or 0, stop or 0]
            return self._known_step(record, child, values, recording.limits, bounds)
        return self._take_step(
            record, shape, [start or 0, stop or 0], step=recording.limits, payload=bounds
        )

    def _limited(self, count: int) -> Any:
        """Return the queryset with a limit that is part of its shape."""
        record = self._record
        if record is None or record.node.sliced:
            return self[:count]
        return self._take_step(
            record, ("limit", count), [], step=recording.limits, payload=(None, count)
        )

    def _alone(self, count: int, *, unordered: bool) -> Any:
        """Return the queryset with a limit, and without its order; this one is used no more."""
        record = self._record
        assert record is not None
        node = record.node
        child = node.children.get(("alone", count, unordered))
        if child is None or not _is_known(record, child):
            return self._take_step(
                record,
                ("alone", count, unordered),
                [],
                step=recording.alone,
                payload=(count, unordered),
            )
        self._record = Record(child, record.values, record, recording.alone, (count, unordered))
        return self


@functools.cache
def _guard_of_step(cls: type, name: str) -> Guard:
    """Return what tells whether recording a step skips nothing but Django's own methods.

    No class may come between our methods and Django's, nor replace their parts.

    Args:
        cls: the queryset's.
        name: the method.
    """
    step = STEPS[name]
    return guard(*step.names, (cls, step.parts)) if _is_next_to_djangos(cls) else bool


@functools.cache
def _guard_of_chains(cls: type) -> Guard:
    """Return what tells whether a chain may be recorded from its beginning."""
    return guard(*BEGINNING, (cls, ("_query", "query"))) if _is_next_to_djangos(cls) else bool


def _is_next_to_djangos(cls: type) -> bool:
    mro = cls.__mro__
    between = mro[mro.index(RecordedQuerySet) + 1 : mro.index(QuerySet)]
    return not any(name in vars(base) for base in between for name in STEPS)


def _has_djangos_constructor(cls: type[RecordedQuerySet]) -> bool:
    """Tell whether Django's own constructor follows ours, replaced by nobody."""
    return super(RecordedQuerySet, cls).__init__ is CONSTRUCTOR is QuerySet.__init__


def _in_place(queryset: Any, step: Callable[[], Any]) -> Any:
    """Take a step without a copy, as Django's related managers want it since 6.1."""
    queryset._cloning_enabled = True
    try:
        made = step()
    finally:
        queryset._cloning_enabled = False
    _adopt(queryset, made)
    return queryset


def _is_known(record: Record, child: Node) -> bool:
    """Tell whether a step of this shape may be recorded without Django doing it."""
    return (
        child.checks is not None
        and child.generation == cache.generation
        and (not record.pending or record.settled)
    )


def _checked(checks: Any, values: list[Any], payload: Any) -> Any:
    """Let Django's lookups look at the values; return the payload without model instances."""
    # An instance counts as it is now, not as it will be when the query is executed. Of a moment
    # without a time zone Django has warned now, and has given it one.
    fixed, instances = list(values), False
    for number, check in enumerate(checks):
        if check is not None:
            raw, values[number] = values[number], check(values[number])
            if _has_instances(raw) or _has_moments(values[number].lookup.rhs):
                fixed[number], instances = values[number].lookup.rhs, True
    return recording.with_values(payload, fixed) if instances else payload


def _has_instances(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and isinstance(value[0], Model)
    return isinstance(value, Model)


def _has_moments(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(isinstance(each, datetime) for each in value)
    return isinstance(value, datetime)


def _recording(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    django = getattr(QuerySet, name)

    @functools.wraps(django)
    def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._record is None or not self._records(name):
            return getattr(super(RecordedQuerySet, self), name)(*args, **kwargs)
        if self._cloning_enabled:
            return method(self, name, args, kwargs)
        return _in_place(self, lambda: method(self, name, args, kwargs))

    del recorded.__wrapped__
    recorded.__signature__ = inspect.signature(django)  # type: ignore[attr-defined]
    return recorded


CONDITIONS = ("filter", "exclude")
STATIC = (
    *("alias", "annotate", "defer", "distinct", "only", "order_by", "reverse"),
    *("select_related", "values", "values_list"),
)
for _name in CONDITIONS:
    setattr(RecordedQuerySet, _name, _recording(_name, RecordedQuerySet._condition))
for _name in STATIC:
    setattr(RecordedQuerySet, _name, _recording(_name, RecordedQuerySet._static))
remember(RecordedQuerySet)
