"""What a job has is given back whatever fails."""

import pytest

from turbo_orm.leases.scope import Scope


class Wrapper:
    """A wrapper of one alias that notes what is done to it, and fails where it is told to."""

    left_open = False

    def __init__(self, alias, done, fails=()):
        self.alias, self.done, self.fails = alias, done, fails

    def drop_blocks(self):
        self.note("drop_blocks")

    def finish(self):
        self.note("finish")

    def note(self, what):
        self.done.append((self.alias, what))
        if what in self.fails:
            raise self.fails[what]


@pytest.mark.parametrize("failing", ["drop_blocks", "finish"])
def test_all_wrappers_are_handed_back_where_one_fails(failing):
    done, first, second = [], ZeroDivisionError("first"), GeneratorExit("second")
    scope = Scope()
    scope.wrappers["a"] = Wrapper("a", done, {failing: first})
    scope.wrappers["b"] = Wrapper("b", done, {failing: second})
    scope.wrappers["c"] = Wrapper("c", done)
    scope.private.append(Wrapper("a", done))

    with pytest.raises(ZeroDivisionError) as raised:
        scope.exit()

    assert raised.value is first
    assert done == [(alias, what) for alias in "abca" for what in ("drop_blocks", "finish")]
    assert (scope.wrappers, scope.private) == ({}, [])
