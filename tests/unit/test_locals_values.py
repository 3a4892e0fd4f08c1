"""What a request-local holds: the values of the context in a scope, the thread's own outside."""

import asyncio
import contextvars
import copy
import pickle
import threading
import weakref

import pytest

from turbo_orm import eager, portal, run_sync
from turbo_orm.locals import faces
from turbo_orm.locals.faces import ContextLocal, stand_in
from turbo_orm.namespaces import Namespace, Namespaces, begin_request, current, end_request

# In a dictionary: a test is a module of the project too, whose names would be bound anew.
PYTHONS = {"local": threading.local}


def plain():
    """A plain thread-local that was replaced."""
    return stand_in(PYTHONS["local"]())


def made_later():
    return ContextLocal()


def subclass():
    class Local(PYTHONS["local"]):
        pass

    local = Local()
    Local.__bases__ = (ContextLocal,)
    return local


each_kind = pytest.mark.parametrize("make", [plain, made_later, subclass])


def in_request(function, *args):
    def call():
        begin_request()
        return function(*args)

    return contextvars.Context().run(call)


def in_thread(function, *args):
    """Call a function in a thread of its own, which has an empty context."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function(*args)))
    thread.start()
    thread.join(30)
    return found[0]


threaded = pytest.mark.needs_thread(reason="thread-locals belong to threads")


@threaded
@each_kind
def test_outside_of_a_scope_it_is_a_thread_local(make):
    local = make()
    local.x = 1
    local.y = 2
    del local.y

    assert (local.x, vars(local)) == (1, {"x": 1})
    assert in_thread(lambda: vars(local)) == {}
    assert isinstance(vars(local), dict)
    for use in (lambda: local.y, lambda: delattr(local, "y")):
        with pytest.raises(AttributeError, match="y"):
            use()


@each_kind
def test_a_request_sees_neither_the_threads_values_nor_another_requests(make):
    local = make()
    local.x = "the thread's"

    def serve(value):
        before = dict(vars(local))
        local.x = value
        return before, local.x

    assert in_request(serve, 1) == ({}, 1)
    assert in_request(serve, 2) == ({}, 2)
    assert local.x == "the thread's"


@threaded
def test_a_request_sees_what_its_thread_set_at_import():
    local = PYTHONS["local"]()
    local.values = ["at import"]
    local = stand_in(local)
    local.values = "later"

    def serve():
        found = getattr(local, "values", None)
        if found is not None:
            found.append("changed")
        return found

    expected = ["at import", "changed"]
    assert (in_request(serve), in_request(serve)) == (expected, expected)
    assert in_thread(in_request, serve) is None
    assert local.values == "later"


def read(local, name):
    try:
        return getattr(local, name)
    except AttributeError:
        return AttributeError


def error_of(function, *args):
    try:
        function(*args)
    except AttributeError:
        return AttributeError


# What is done with an object, and what it returns.
USES = {
    "reading": lambda local: read(local, "x"),
    "what is missing": lambda local: (read(local, "nothing"), hasattr(local, "nothing")),
    "with a default": lambda local: getattr(local, "nothing", 5),
    "writing": lambda local: (setattr(local, "x", 2), local.x),
    "deleting": lambda local: (delattr(local, "x"), read(local, "x")),
    "deleting twice": lambda local: (
        delattr(local, "x"),
        error_of(delattr, local, "x"),
    ),
    "vars()": lambda local: (
        dict(vars(local)),
        {**vars(local)},
        len(vars(local)),
        "x" in vars(local),
    ),
    "vars().copy()": lambda local: vars(local).copy(),
    "vars() | other": lambda local: vars(local) | {"y": 2},
    "other | vars()": lambda local: {"y": 2} | vars(local),
    "copy.copy(vars())": lambda local: (
        kept := copy.copy(vars(local)),
        setattr(local, "x", 2),
        dict(kept),
    )[1:],
    "copy.deepcopy(vars())": lambda local: copy.deepcopy(vars(local)),
    "pickling vars()": lambda local: pickle.loads(pickle.dumps(vars(local))),
    "repr(vars())": lambda local: repr(vars(local)),
    "comparing vars()": lambda local: vars(local) == {"x": 1},
    "vars().update()": lambda local: (local.__dict__.update(y=2), local.y),
    "vars() |= other": lambda local: (local.__dict__.__ior__({"y": 2})["y"], local.y),
    "vars().clear()": lambda local: (local.__dict__.clear(), read(local, "x")),
    "vars().pop()": lambda local: (local.__dict__.pop("x"), read(local, "x")),
    "vars().setdefault()": lambda local: (local.__dict__.setdefault("z", []), local.z),
    "vars()[...] = ": lambda local: (vars(local).__setitem__("x", 3), local.x),
    "del vars()[...]": lambda local: (vars(local).__delitem__("x"), read(local, "x")),
    "a dictionary that is kept": lambda local: (vars(local), setattr(local, "k", 1))[0]["k"],
    "replacing vars()": lambda local: error_of(setattr, local, "__dict__", {}),
    "a class": lambda local: isinstance(local, PYTHONS["local"]),
    "equality": lambda local: (local == local, local == 1, hash(local) == hash(local)),  # noqa: PLR0124
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@each_kind
def test_it_is_used_like_a_thread_local(make, use):
    original, local = PYTHONS["local"](), make()

    def serve(each):
        each.x = 1
        return use(each)

    assert in_request(serve, local) == serve(original)


# Classes of thread-locals, and what is done with an object of each in a thread that is new to it.
CLASSES = {
    "initialised": (
        lambda base: type("L", (base,), {"__init__": lambda self: setattr(self, "x", [])}),
        lambda kind: kind(),
        lambda local: (local.x, local.x is local.x),
    ),
    "initialised with arguments": (
        lambda base: type(
            "L",
            (base,),
            {"__init__": lambda self, *a, **k: vars(self).update(a=a, k=k)},
        ),
        lambda kind: kind(1, [2], name=3),
        lambda local: (local.a, local.k),
    ),
    "initialised with a default": (
        lambda base: type("L", (base,), {"__init__": lambda self, x=1: setattr(self, "x", x)}),
        lambda kind: kind(),
        lambda local: local.x,
    ),
    "class attributes": (
        lambda base: type("L", (base,), {"x": 1}),
        lambda kind: kind(),
        lambda local: (local.x, setattr(local, "x", 2), local.x, delattr(local, "x"), local.x),
    ),
    "methods": (
        lambda base: type("L", (base,), {"set": lambda self, x: setattr(self, "x", x)}),
        lambda kind: kind(),
        lambda local: (local.set(5), local.x),
    ),
    "a property": (
        lambda base: type(
            "L",
            (base,),
            {
                "x": property(
                    lambda self: self._x,
                    lambda self, x: setattr(self, "_x", x + 1),
                    lambda self: delattr(self, "_x"),
                )
            },
        ),
        lambda kind: kind(),
        lambda local: (setattr(local, "x", 1), local.x, delattr(local, "x"), hasattr(local, "x")),
    ),
    "__getattr__": (
        lambda base: type("L", (base,), {"__getattr__": lambda self, name: name}),
        lambda kind: kind(),
        lambda local: (local.nothing, setattr(local, "x", 1), local.x),
    ),
    "__getitem__": (
        lambda base: type("L", (base,), {"__getitem__": lambda self, key: getattr(self, key)}),
        lambda kind: kind(),
        lambda local: (setattr(local, "x", 1), local["x"]),
    ),
    "a mixin": (
        lambda base: type("L", (type("M", (), {"x": 1}), base), {}),
        lambda kind: kind(),
        lambda local: local.x,
    ),
    "an initialised base": (
        lambda base: type(
            "L", (type("B", (base,), {"__init__": lambda self: setattr(self, "x", 1)}),), {}
        ),
        lambda kind: kind(),
        lambda local: local.x,
    ),
}


@threaded
@pytest.mark.parametrize("when", ["before", "later", "in a request"])
@pytest.mark.parametrize(("define", "make", "use"), CLASSES.values(), ids=CLASSES)
def test_a_subclass_means_in_a_request_what_it_means_in_a_thread(define, make, use, when):
    expected = in_thread(use, make(define(PYTHONS["local"])))

    if when == "before":
        kind = define(PYTHONS["local"])
        local = make(kind)
        owner = kind if kind.__bases__[-1] is PYTHONS["local"] else kind.__bases__[0]
        owner.__bases__ = (*owner.__bases__[:-1], ContextLocal)
    else:
        kind = define(ContextLocal)
        local = in_request(make, kind) if when == "in a request" else make(kind)

    assert in_request(use, local) == expected
    assert in_request(use, local) == expected
    assert in_thread(use, local) == expected
    assert use(local) == expected


def test_what_an_object_is_initialised_with_is_new_for_each_request():
    class Local(ContextLocal):
        def __init__(self):
            self.states = {}

    local = Local()

    def serve():
        local.states["mine"] = 1
        return local.states

    assert in_request(serve) is not in_request(serve)
    assert local.states == {}


def test_an_object_made_in_a_request_is_initialised_once_for_it():
    calls = []

    class Local(ContextLocal):
        def __init__(self, x):
            calls.append(current() is not None)
            self.x = x

    def serve():
        local = Local(1)
        return local, local.x

    local, seen = in_request(serve)
    assert (seen, calls) == (1, [False, True])
    assert (local.x, calls) == (1, [False, True])


def test_an_error_while_initialising_is_raised_each_time_as_in_a_thread():
    class Local(ContextLocal):
        fails = False

        def __init__(self):
            if self.fails:
                raise ValueError("no")
            self.x = 1

    local = Local()

    def serve():
        Local.fails = True
        with pytest.raises(ValueError, match="no"):
            local.x  # noqa: B018
        Local.fails = False
        return local.x

    assert in_request(serve) == 1


def test_slots_are_shared_as_python_documents():
    class Local(ContextLocal):
        __slots__ = ("shared",)

    local = Local()
    in_request(setattr, local, "shared", 1)

    assert (local.shared, in_request(lambda: local.shared)) == (1, 1)


def test_an_object_that_is_gone_leaves_no_value_for_one_at_its_address():
    def serve():
        seen = set()
        for number in range(100):
            local = ContextLocal()
            seen.add(getattr(local, "x", None))
            local.x = number
            del local
        return seen

    assert in_request(serve) == {None}


def test_vars_that_are_kept_beyond_a_request_are_the_threads():
    local = plain()
    kept = in_request(lambda: vars(local))
    kept["x"] = 1

    assert (kept, local.x, kept.copy()) == ({"x": 1}, 1, {"x": 1})
    del kept["x"]
    assert not hasattr(local, "x")


async def test_a_task_does_not_keep_objects_that_its_jobs_have_used_up():
    def work():
        local = ContextLocal()
        local.x = 1
        return weakref.ref(local)

    gone = [await run_sync(work) for _ in range(3)]

    assert [each() for each in gone] == [None] * 3


@each_kind
async def test_a_task_sees_what_was_set_before_it_and_keeps_what_it_sets(make):
    local = make()

    async def child(number):
        before = local.x
        local.x = number
        await asyncio.sleep(0)
        return before, local.x

    async def serve():
        outer = begin_request()
        local.x = "parent"
        try:
            return await asyncio.gather(child(1), child(2)), local.x
        finally:
            end_request(outer)

    assert await serve() == ([("parent", 1), ("parent", 2)], "parent")
    assert not hasattr(local, "x")


@threaded
@each_kind
async def test_asgirefs_threads_are_inside_and_threads_of_ones_own_are_not(make):
    from asgiref.sync import async_to_sync, sync_to_async

    local = make()

    async def again():
        local.x += 1
        return await sync_to_async(lambda: local.x)()

    def work():
        before = local.x
        local.x += 1
        return before, async_to_sync(again)(), local.x, in_thread(lambda: hasattr(local, "x"))

    async def serve(value):
        begin_request()
        local.x = value
        return await sync_to_async(work)(), local.x

    found = await asyncio.gather(*map(serve, (10, 20)))

    assert found == [((10, 12, 12, False), 12), ((20, 22, 22, False), 22)]


class Lazy:
    __hash__ = None

    def __eq__(self, other):
        raise AssertionError("evaluated")


def test_namespaces_of_two_contexts_are_compared_without_their_values():
    first, second = (
        Namespaces({1: Namespace(None, {"user": Lazy()})}, inherits=False) for _ in range(2)
    )

    assert first != second
    assert first == first  # noqa: PLR0124


@threaded
async def test_asgiref_does_not_evaluate_the_values_when_it_compares_contexts():
    from asgiref.sync import sync_to_async

    local = plain()

    async def serve():
        begin_request()
        local.user = Lazy()
        await sync_to_async(setattr)(local, "user", Lazy())
        await sync_to_async(setattr)(local, "user", Lazy())
        return type(local.user)

    assert await asyncio.create_task(serve()) is Lazy


ENTRIES = {
    "run_sync": lambda function: run_sync(function),
    "portal": lambda function: portal(awaitable(function)),
    "eager": lambda function: awaitable(eager, function),
}


async def awaitable(function, *args):
    return function(*args)


@pytest.mark.parametrize("enter", ENTRIES.values(), ids=ENTRIES)
@each_kind
async def test_a_job_outside_of_requests_begins_with_the_threads_values(make, enter):
    local = make()
    local.x, local.items = "thread", [1]

    def work(number):
        before = local.x, list(local.items)
        local.x = number
        local.items.append(number)
        return before, local.x, local.items

    async def task(number):
        return await enter(lambda: work(number))

    tasks = [asyncio.create_task(task(number)) for number in (2, 3)]

    assert [await each for each in tasks] == [
        (("thread", [1]), 2, [1, 2]),
        (("thread", [1]), 3, [1, 3]),
    ]
    assert (local.x, local.items) == ("thread", [1])


async def test_a_task_keeps_what_its_jobs_set_for_its_next_ones():
    local = plain()

    async def task(number):
        await run_sync(setattr, local, "x", number)
        await asyncio.sleep(0)
        await run_sync(setattr, local, "y", number)
        outside = vars(local)
        return outside, await run_sync(lambda: dict(vars(local)))

    assert await asyncio.gather(task(1), task(2)) == [
        ({}, {"x": 1, "y": 1}),
        ({}, {"x": 2, "y": 2}),
    ]


@each_kind
async def test_what_code_between_jobs_sets_and_unsets_is_the_threads(make):
    local = make()
    local.user = None
    seen = []
    for user in ("ada", "grace"):
        # What a context manager around an awaited query does.
        local.user = user
        seen.append(await run_sync(lambda: local.user))
        local.user = None
    seen.append(await run_sync(lambda: local.user))

    assert (seen, local.user) == (["ada", "grace", None], None)
    del local.user
    assert not await run_sync(hasattr, local, "user")


@each_kind
async def test_a_block_of_several_jobs_has_one_state_for_each_task(make):
    local = make()
    local.states = []

    async def block(number):
        await run_sync(lambda: local.states.append(number))
        await asyncio.sleep(0)
        seen = await run_sync(lambda: list(local.states))
        await run_sync(lambda: local.states.remove(number))
        return seen, await run_sync(lambda: list(local.states))

    assert await asyncio.gather(block(1), block(2)) == [([1], []), ([2], [])]
    assert local.states == []


# What the thread had when a job began, what that job left, what the thread has now, and what the
# next job begins with.
INHERITED = [
    ({}, {}, {}, {}),
    ({}, {"x": 1}, {}, {"x": 1}),
    ({"x": 1}, {"x": 1}, {"x": 1}, {"x": 1}),
    ({"x": 1}, {"x": 2}, {"x": 1}, {"x": 2}),
    ({"x": 1}, {"x": 2}, {"x": 3}, {"x": 3}),
    ({"x": 1}, {"x": 2}, {}, {}),
    ({"x": 1}, {}, {"x": 1}, {}),
    ({"x": 1}, {}, {"x": 2}, {"x": 2}),
    ({}, {"x": 1}, {"x": 2}, {"x": 2}),
    ({}, {}, {"y": 1}, {"y": 1}),
]


@pytest.mark.parametrize(("began", "left", "thread", "begins"), INHERITED)
def test_a_job_begins_with_what_was_set_last(began, left, thread, begins):
    local = plain()
    kept = Namespace(local, left, began)

    assert faces.inherited(local, thread, kept) == begins


@threaded
def test_a_synchronous_caller_gets_what_its_coroutine_sets_in_synchronous_code():
    from asgiref.sync import async_to_sync

    from turbo_orm.patches import redirect

    local = plain()

    async def work():
        before = await run_sync(getattr, local, "y", None)
        await run_sync(setattr, local, "y", "job")
        return before

    def call():
        local.x = "caller"
        return async_to_sync(work)(), async_to_sync(work)(), current(), vars(local)

    redirect.apply()
    # As in plain Django, that code runs in the thread of the caller.
    values = {"x": "caller", "y": "job"}
    assert contextvars.Context().run(call) == (None, "job", None, values)


def test_what_an_object_was_made_with_is_known():
    class Local(PYTHONS["local"]):
        def __init__(self, *args, **kwargs):
            self.used = True

    for args, kwargs in [((), {}), ((1, "a"), {}), ((), {"b": []}), ((1,), {"b": 2})]:
        local = Local(*args, **kwargs)
        assert faces.init_arguments(local) == (args, kwargs)
        local.more = 1
        assert faces.init_arguments(local) == (args, kwargs)
