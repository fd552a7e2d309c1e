"""What is worked out of a pack once."""

import gc
import weakref
from dataclasses import replace

import pytest

from app.engine.once import once_a_pack
from app.engine.pack.model import Pack
from tests.pipeline_packs import act, mini

pytestmark = pytest.mark.unit


def test_each_pack_is_asked_once() -> None:
    """The same is given for the same pack, and each pack has its own."""
    asked: list[str] = []

    @once_a_pack
    def actions(pack: Pack) -> list[str]:
        """The names of actions."""
        asked.append(pack.digest)
        return [action.id for action in pack.actions]

    one, other = mini({"one": act()}), mini({"other": act()})
    assert (actions(one), actions(other)) == (["one"], ["other"])
    assert actions(one) is actions(one)
    assert asked == [one.digest, other.digest]
    assert actions.__doc__ == "The names of actions."


def test_two_works_do_not_meet() -> None:
    """What has the same name elsewhere, or another one, is kept by itself."""

    @once_a_pack
    def first(_pack: Pack) -> str:
        return "first"

    @once_a_pack
    def second(_pack: Pack) -> None:
        return None

    pack = mini({"plain": act()})
    assert (first(pack), second(pack), second(pack)) == ("first", None, None)


def test_what_was_worked_out_goes_with_the_pack() -> None:
    """A pack that nobody uses any more is not kept alive, even by what knows it."""

    @once_a_pack
    def knows(pack: Pack) -> list[Pack]:
        return [pack]

    pack = replace(mini({"plain": act()}))
    gone = weakref.ref(pack)
    assert knows(pack) == [pack]
    del pack
    gc.collect()
    assert gone() is None
