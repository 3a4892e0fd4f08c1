"""The adapter's modules: what they add to DRF's, and that all else is DRF's."""

import importlib
import inspect
import pkgutil

import pytest
import rest_framework

import turbo_orm_drf

MODULES = [module.name for module in pkgutil.iter_modules(turbo_orm_drf.__path__)]
MIRRORS = [
    *("apps", "decorators", "generics", "mixins", "pagination", "renderers", "routers"),
    *("serializers", "test", "views", "viewsets"),
]


def module(name):
    return importlib.import_module(f"turbo_orm_drf.{name}")


@pytest.mark.parametrize("name", MIRRORS)
def test_a_module_has_all_that_drfs_has(name):
    drfs = importlib.import_module(f"rest_framework.{name}")
    public = {one for one in vars(drfs) if not one.startswith("_")}

    assert {one for one in public if not hasattr(module(name), one)} == set()
    assert sorted(module(name).__all__) == module(name).__all__
    for one in set(module(name).__all__) & public:
        ours, theirs = getattr(module(name), one), getattr(drfs, one)
        assert not inspect.isclass(ours) or issubclass(ours, theirs), one


@pytest.mark.parametrize("name", MIRRORS)
def test_a_name_that_neither_has_is_an_attribute_error(name):
    with pytest.raises(AttributeError, match="nonsense"):
        _ = module(name).nonsense


def test_a_module_that_has_nothing_to_add_is_drfs():
    for name in ("exceptions", "permissions", "request", "response", "status", "throttling"):
        drfs = importlib.import_module(f"rest_framework.{name}")
        assert getattr(turbo_orm_drf, name) is drfs
    assert turbo_orm_drf.views is module("views")
    with pytest.raises(AttributeError, match="module 'turbo_orm_drf' has no attribute 'nonsense'"):
        _ = turbo_orm_drf.nonsense
    assert rest_framework.VERSION is turbo_orm_drf.VERSION


@pytest.mark.parametrize("name", MODULES)
def test_every_function_and_method_has_a_docstring_of_its_own(name):
    own = {
        label: value
        for label, value in vars(module(name)).items()
        if getattr(value, "__module__", None) == f"turbo_orm_drf.{name}"
        and not label.startswith("_")
    }
    methods = {
        f"{label}.{inner}": value
        for label, cls in own.items()
        if inspect.isclass(cls)
        for inner, value in vars(cls).items()
        if inspect.isfunction(value)
        and value.__module__ == f"turbo_orm_drf.{name}"
        and not inner.startswith("_")
    }

    assert module(name).__doc__
    functions = {label: one for label, one in own.items() if inspect.isfunction(one)}
    assert [label for label, one in {**functions, **methods}.items() if not one.__doc__] == []


def test_bases_do_not_describe_the_views_and_serializers_of_a_project():
    from turbo_orm_drf import mixins, serializers, views, viewsets

    for cls in (viewsets.ModelViewSet, serializers.ModelSerializer, mixins.AutoOptimizeMixin):
        ours = [one for one in cls.__mro__ if one.__module__.startswith("turbo_orm_drf.")]
        assert [one for one in ours if one.__doc__] == []
    assert views.APIView.__doc__ is None
