"""Thread-locals are found where packages keep them, and replaced there; the table of cases."""

import contextvars
import gc
import importlib
import itertools
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from turbo_orm.locals.faces import ContextLocal, StandIn
from turbo_orm.locals.finding import owned_modules
from turbo_orm.locals.imports import watch
from turbo_orm.locals.installing import Installed
from turbo_orm.locals.owned import Ownership, packages_of
from turbo_orm.namespaces import begin_request

# In a dictionary: a test is a module of the project too, whose names would be bound anew.
PYTHONS = {"threading": threading, "local": threading.local}
numbers = itertools.count()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a function that makes a package of some modules and replaces what it holds."""
    made = []
    name = f"locals_package_{next(numbers)}"
    monkeypatch.syspath_prepend(tmp_path)

    def make(*, owned=(name,), excluded=(), **sources):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").touch()
        for module, source in sources.items():
            home = tmp_path if module.startswith("other") else folder
            text = textwrap.dedent(source).replace("PACKAGE", name)
            (home / f"{module}.py").write_text(text)
        importlib.invalidate_caches()
        for module in sources:
            path = module if module.startswith("other") else f"{name}.{module}"
            made.append(path)
            importlib.import_module(path)
        ownership = Ownership(
            frozenset(each.replace("PACKAGE", name) for each in owned), frozenset(excluded)
        )
        installed = Installed(ownership)
        installed.cover(owned_modules(ownership))
        return installed, [sys.modules[path] for path in made]

    yield make
    for path in [*made, *(each for each in sys.modules if each.startswith(name))]:
        sys.modules.pop(path, None)


def in_request(function, *args):
    """Call a function as a request of its own would."""

    def call():
        begin_request()
        return function(*args)

    return contextvars.Context().run(call)


def is_of_the_request(local):
    """Tell whether one request sees its own value and no other's, and the thread neither."""

    def serve(value):
        before = getattr(local, "value", None)
        local.value = value
        return before, local.value

    seen = [in_request(serve, "first"), in_request(serve, "second")]
    return seen == [(None, "first"), (None, "second")] and not hasattr(local, "value")


PLACES = {
    "a global": ("import threading; LOCAL = threading.local()", "m.LOCAL"),
    "a second name": ("import threading; LOCAL = OTHER = threading.local()", "m.OTHER"),
    "the class by name": ("from threading import local; LOCAL = local()", "m.LOCAL"),
    "a class attribute": ("import threading\nclass A: x = threading.local()", "m.A.x"),
    "an attribute of a subclass": (
        "import threading\nclass A: x = threading.local()\nclass B(A): pass",
        "m.B.x",
    ),
    "an attribute of a nested class": (
        "import threading\nclass A:\n class B: x = threading.local()",
        "m.A.B.x",
    ),
    "a singleton's attribute": (
        "import threading\nclass A:\n def __init__(self): self.x = threading.local()\na = A()",
        "m.a.x",
    ),
    "a singleton's slot": (
        (
            "import threading\n"
            "class A:\n __slots__ = ('__x',)\n def __init__(self): self.__x = threading.local()\n"
            " def get(self): return self.__x\na = A()"
        ),
        "m.a.get()",
    ),
    "a singleton with __setattr__": (
        (
            "import threading\n"
            "class A:\n def __init__(self): vars(self)['x'] = threading.local()\n"
            " def __setattr__(self, name, value): raise TypeError\na = A()"
        ),
        "m.a.x",
    ),
    "a closure": (
        "import threading\ndef make():\n x = threading.local()\n return lambda: x\nget = make()",
        "m.get()",
    ),
    "a decorated function's closure": (
        (
            "import functools, threading\n"
            "def local(f):\n x = threading.local()\n @functools.wraps(f)\n def g(): return x\n"
            " return g\n@local\ndef get(): pass"
        ),
        "m.get()",
    ),
    "a default": ("import threading\ndef get(x=threading.local()): return x", "m.get()"),
    "a keyword's default": (
        "import threading\ndef get(*, x=threading.local()): return x",
        "m.get()",
    ),
    "an argument of a partial object": (
        "import functools, threading\nget = functools.partial(lambda x: x, threading.local())",
        "m.get()",
    ),
    "a keyword of a partial object": (
        "import functools, threading\nget = functools.partial(lambda x: x, x=threading.local())",
        "m.get()",
    ),
    "a property": (
        (
            "import threading\n"
            "def make():\n x = threading.local()\n return property(lambda self: x)\n"
            "class A: x = make()"
        ),
        "m.A().x",
    ),
    "a static method": (
        "import threading\nclass A:\n @staticmethod\n def get(x=threading.local()): return x",
        "m.A.get()",
    ),
    "a function's attribute": (
        "import threading\ndef get(): return get.x\nget.x = threading.local()",
        "m.get()",
    ),
    "a list": ("import threading; LOCALS = [1, threading.local()]", "m.LOCALS[1]"),
    "a deque": (
        "import collections, threading; X = collections.deque([threading.local()])",
        "m.X[0]",
    ),
    "a dictionary": ("import threading; LOCALS = {'a': threading.local()}", "m.LOCALS['a']"),
    "a dictionary's key": ("import threading; LOCALS = {threading.local(): 1}", "[*m.LOCALS][0]"),
    "a weak reference": (
        "import threading, weakref; X = threading.local(); ref = weakref.ref(X)",
        "m.ref()",
    ),
    "a weak key": (
        (
            "import threading, weakref; X = threading.local()\n"
            "KEYS = weakref.WeakKeyDictionary({X: 'kept'})\n"
            "def get(): return X if KEYS[X] == 'kept' and X in KEYS else None"
        ),
        "m.get()",
    ),
    "a weak value": (
        (
            "import threading, weakref; X = threading.local()\n"
            "VALUES = weakref.WeakValueDictionary({'a': X})"
        ),
        "m.VALUES['a']",
    ),
    "a weak set": (
        "import threading, weakref; X = threading.local(); SET = weakref.WeakSet([X])",
        "X if (X := m.X) in m.SET else None",
    ),
    "a set": ("import threading; LOCALS = {threading.local()}", "[*m.LOCALS][0]"),
    "a singleton in a list": (
        "import threading\nclass A:\n def __init__(self): self.x = threading.local()\nX = [A()]",
        "m.X[0].x",
    ),
    "a subclass": ("import threading\nclass L(threading.local): pass\nx = L()", "m.x"),
    "a subclass of a subclass": (
        "import threading\nclass A(threading.local): pass\nclass B(A): pass\nx = B()",
        "m.x",
    ),
    "a subclass with a mixin": (
        "import threading\nclass M: pass\nclass L(M, threading.local): pass\nx = L()",
        "m.x",
    ),
    "a subclass with slots": (
        "import threading\nclass L(threading.local): __slots__ = ('shared',)\nx = L()",
        "m.x",
    ),
    "a subclass with __setattr__": (
        (
            "import threading\nclass L(threading.local):\n"
            " def __setattr__(self, name, value): super().__setattr__(name, value)\nx = L()"
        ),
        "m.x",
    ),
    "a subclass's object in a tuple": (
        "import threading\nclass L(threading.local): pass\nX = (L(),)",
        "m.X[0]",
    ),
    "one made by a function later": (
        "import threading\ndef make(): return threading.local()",
        "m.make()",
    ),
    "one made later, the class by name": (
        "from threading import local as L\ndef make(): return L()",
        "m.make()",
    ),
    "one made by a method later": (
        "import threading\nclass A:\n def make(self): return threading.local()",
        "m.A().make()",
    ),
    "a subclass made later": (
        "import threading\ndef make():\n class L(threading.local): pass\n return L()",
        "m.make()",
    ),
}


@pytest.mark.parametrize(("source", "expression"), PLACES.values(), ids=PLACES)
def test_a_thread_local_becomes_the_requests_wherever_a_module_has_it(package, source, expression):
    installed, [module] = package(places=source)

    local = eval(expression, {"m": module})

    assert is_of_the_request(local)
    assert isinstance(local, PYTHONS["local"])
    assert installed.left() == []


TWO = "import threading; LOCAL = threading.local()"


@pytest.mark.parametrize(
    ("importing", "expression"),
    {
        "by name": ("from PACKAGE.home import LOCAL", "m.LOCAL"),
        "into a class": ("from PACKAGE.home import LOCAL\nclass A: x = LOCAL", "m.A.x"),
        "into an object": (
            "from PACKAGE.home import LOCAL\nclass A: pass\na = A(); a.x = LOCAL",
            "m.a.x",
        ),
        "into a closure": (
            "from PACKAGE.home import LOCAL\ndef f(x): return lambda: x\nget = f(LOCAL)",
            "m.get()",
        ),
    }.values(),
)
def test_other_modules_that_have_imported_it_see_the_same_object(package, importing, expression):
    _, [home, other] = package(home=TWO, other_importing=importing)

    assert eval(expression, {"m": other}) is home.LOCAL
    assert is_of_the_request(home.LOCAL)


def test_what_an_application_imports_from_a_driver_stays_the_drivers(package):
    _, [other, mine] = package(
        other_driver=TWO, mine="from other_driver import LOCAL\nLOCALS = [LOCAL]"
    )

    assert type(mine.LOCAL) is PYTHONS["local"]
    assert mine.LOCAL is mine.LOCALS[0] is other.LOCAL


def test_what_an_application_imports_from_another_in_a_roundabout_way_is_replaced(package):
    _, [home, _, third] = package(
        home=TWO,
        other_between="from PACKAGE.home import LOCAL",
        third="from other_between import LOCAL",
    )

    assert type(home.LOCAL) is StandIn
    assert third.LOCAL is home.LOCAL


def test_objects_of_other_packages_are_not_looked_into(package):
    _, [_, mine] = package(
        other_client="import threading\nclass Client:\n def __init__(s): s.x = threading.local()\n"
        "class Local(threading.local): pass",
        mine="import other_client\nclient = other_client.Client()\nlocal = other_client.Local()\n"
        "clients = [client]",
    )

    assert type(mine.client.x) is PYTHONS["local"]
    assert not isinstance(mine.local, ContextLocal)


def test_excluded_packages_are_left_alone(package):
    installed, [module] = package(
        excluded=["PACKAGE"],
        home=TWO + "\nclass L(threading.local): pass\ndef f(): threading.local",
    )
    assert isinstance(module.LOCAL, StandIn)  # its name is another

    excluded = Installed(Ownership(installed.owned.packages, installed.owned.packages))
    excluded.cover(owned_modules(excluded.owned))
    assert excluded.report.replaced == []


def owned_by(monkeypatch, folders, apps, modules=()):
    """Make modules in folders that can be imported from; return what a project owns of them."""
    for folder, names in folders.items():
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        monkeypatch.syspath_prepend(folder)
    return packages_of(apps, ["locals_nowhere.middleware.Middleware"], modules)


def test_a_project_owns_what_lies_in_its_package_and_beside_it(tmp_path, monkeypatch):
    folders = {
        tmp_path: ["locals_shop/__init__.py", "locals_shop/accounts/__init__.py"],
        tmp_path / "site-packages": [
            *("locals_library/__init__.py", "locals_library/accounts/__init__.py"),
            *("locals_driver.py", "locals_other/__init__.py"),
        ],
    }
    # A namespace package and a module; neither is an application. The others are no code.
    folders[tmp_path] += ["locals_helpers/users.py", "locals_state.py", "locals_notes.txt"]
    # Folders with the names of modules that lie elsewhere.
    folders[tmp_path] += ["locals_driver/compose.yaml", "logging/nginx.conf"]
    apps = ["locals_shop.accounts", "locals_library.accounts"]

    found = owned_by(monkeypatch, folders, apps)

    beside = {"locals_shop", "locals_helpers", "locals_state"}
    assert found == {*apps, *beside, "locals_nowhere"}


def test_a_project_without_a_package_owns_the_modules_beside_its_settings(tmp_path, monkeypatch):
    folders = {tmp_path: ["locals_settings.py", "locals_urls.py", "locals_current.py"]}

    found = owned_by(monkeypatch, folders, [], ["locals_urls", "locals_settings"])

    assert found == {"locals_urls", "locals_settings", "locals_current", "locals_nowhere"}


def test_what_pip_has_put_beside_a_project_is_not_the_projects(tmp_path, monkeypatch):
    folders = {tmp_path: ["locals_web/urls.py", "locals_client.py", "x-1.0.dist-info/METADATA"]}

    found = owned_by(monkeypatch, folders, [], ["locals_web.urls"])

    assert found == {"locals_web", "locals_nowhere"}


MISSED = {
    "a tuple": ("import threading; LOCALS = (threading.local(),)", "PACKAGE.m.LOCALS[0]"),
    "a bound method": (
        "import threading; X = threading.local(); get = X.__getattribute__",
        "PACKAGE.m.get.__self__",
    ),
    "a weak reference of a kind of its own": (
        (
            "import threading, weakref; X = threading.local()\n"
            "class Ref(weakref.ref): pass\nref = Ref(X)"
        ),
        "PACKAGE.m.ref()",
    ),
    "a frozen set": ("import threading; X = frozenset([threading.local()])", "PACKAGE.m.X[...]"),
    "a class with its own access": (
        (
            "import threading\nclass L(threading.local):\n"
            " def __setattr__(self, name, value): threading.local.__setattr__(self, name, value)"
        ),
        "PACKAGE.m.L",
    ),
}


@pytest.mark.parametrize(("source", "path"), MISSED.values(), ids=MISSED)
def test_what_cannot_be_replaced_is_reported_by_its_path(package, source, path):
    installed, [module] = package(m=source)
    name = module.__name__.rpartition(".")[0]

    assert path.replace("PACKAGE", name) in [missed.path for missed in installed.left()]


def test_what_ends_with_a_thread_local_ends_with_what_takes_its_place(package):
    _, [module] = package(
        m="""
        import threading, weakref
        X, ended = threading.local(), []
        KEYS = weakref.WeakKeyDictionary({X: 1})
        weakref.finalize(X, ended.append, "ended")
        """
    )
    assert (module.ended, len(module.KEYS)) == ([], 1)

    del module.X
    gc.collect()

    assert (module.ended, len(module.KEYS)) == (["ended"], 0)


def test_one_that_is_found_after_start_up_is_reported(package):
    installed, [module] = package(m="LOCALS = []")
    module.LOCALS.append(PYTHONS["local"]())

    assert [missed.path for missed in installed.left()] == [f"{module.__name__}.LOCALS[0]"]


def test_a_module_that_makes_none_keeps_threading_itself(package):
    _, [module] = package(m="import threading\ndef start(): threading.Thread()")

    assert module.threading is PYTHONS["threading"]


def test_a_module_that_makes_some_has_all_else_of_threading(package, monkeypatch):
    _, [module] = package(m="import threading\ndef make(): return threading.local()")
    real = PYTHONS["threading"]

    assert module.threading is not real
    assert module.threading.local is ContextLocal
    assert module.threading.Lock is real.Lock
    monkeypatch.setattr(module.threading, "stack_size", print)
    assert real.stack_size is print
    monkeypatch.undo()
    monkeypatch.setattr(module.threading, "local", print)
    assert real.local is PYTHONS["local"]
    monkeypatch.undo()
    assert module.threading.local is ContextLocal


def test_no_lazy_object_is_evaluated(package):
    installed, [module] = package(
        m="""
        from django.utils.functional import SimpleLazyObject, lazy
        asked = []
        class Lazy(SimpleLazyObject): pass
        objects = [SimpleLazyObject(lambda: asked.append(1)), Lazy(lambda: asked.append(2))]
        class Odd:
            def __getattr__(self, name): asked.append(name)
            def __eq__(self, other): asked.append("=="); return True
            __hash__ = None
        odd = Odd()
        text = lazy(lambda: asked.append(3), str)()
        """
    )

    assert (module.asked, installed.left()) == ([], [])


def test_a_module_that_is_imported_later_is_looked_at(package):
    installed, _ = package(m="")
    finder = watch(installed.owned, lambda module: installed.cover([module]))
    try:
        folder = importlib.import_module(*installed.owned.packages)
        source = TWO + "\ndef make(): return threading.local()"
        Path(folder.__path__[0], "late.py").write_text(source)
        importlib.invalidate_caches()
        late = importlib.import_module(f"{folder.__name__}.late")
    finally:
        sys.meta_path.remove(finder)

    assert is_of_the_request(late.LOCAL)
    assert is_of_the_request(late.make())
