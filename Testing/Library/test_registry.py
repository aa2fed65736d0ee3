"""One kind of registry for every family."""

from __future__ import annotations

import pytest

from PyPeTLib.contrast import BOLUS_RULES
from PyPeTLib.deconvolution import METHODS
from PyPeTLib.errors import InputError, UnknownNameError
from PyPeTLib.phantom import RESIDUES
from PyPeTLib.registry import Registry


@pytest.fixture
def tools():
    registry: Registry[object] = Registry("tools")
    registry.register("saw", summary="cuts wood", traits=("sharp",))("a saw")
    registry.register("hammer", summary="drives nails", source="A smith", aliases=("Mallet", "maul"))("a hammer")
    registry.register("knife", summary="cuts all", traits=("sharp", "small"))("a knife")
    return registry


def test_entries_keep_the_order_of_their_registration(tools):
    assert list(tools) == ["saw", "hammer", "knife"]
    assert [entry.item for entry in tools.entries()] == ["a saw", "a hammer", "a knife"]
    assert len(tools) == 3
    assert dict(tools)["saw"] == "a saw"


@pytest.mark.parametrize("name", ["hammer", "Hammer", "MALLET", "mallet", "maul"])
def test_names_and_aliases_are_found_whatever_their_case(tools, name):
    assert tools[name] == "a hammer"
    assert name in tools
    assert tools.entry(name).name == "hammer"
    assert tools.entry(name).aliases == ("Mallet", "maul")
    assert tools.entry(name).source == "A smith"


def test_an_unknown_name_lists_the_known_ones_and_suggests_the_nearest(tools):
    with pytest.raises(UnknownNameError) as caught:
        tools["hamer"]
    assert str(caught.value) == "'hamer' is not among the tools: saw, hammer, knife. Did you mean 'hammer'?"
    # an alias' neighbour suggests the canonical name
    with pytest.raises(UnknownNameError, match="Did you mean 'hammer'"):
        tools["malet"]
    with pytest.raises(UnknownNameError) as far:
        tools["xyzzy"]
    assert "Did you mean" not in str(far.value)


def test_an_unknown_name_is_an_input_error_and_a_key_error(tools):
    for kind in (InputError, KeyError, ValueError):
        with pytest.raises(kind):
            tools["drill"]
    assert "drill" not in tools
    assert tools.get("drill") is None


@pytest.mark.parametrize(("name", "aliases"), [("saw", ()), ("SAW", ()), ("axe", ("maul",)), ("mallet", ())])
def test_a_name_is_given_once(tools, name, aliases):
    with pytest.raises(ValueError, match=r"tools: the name .* is taken"):
        tools.register(name, summary="another", aliases=aliases)("x")
    assert list(tools) == ["saw", "hammer", "knife"]


def test_traits_select(tools):
    assert tools.with_trait("sharp") == ("saw", "knife")
    assert tools.with_trait("blunt") == ()
    assert tools.entry("knife").traits == {"sharp", "small"}


def test_the_decorator_gives_its_function_back():
    registry: Registry[object] = Registry("functions")

    @registry.register("one", summary="returns 1")
    def one():
        return 1

    assert one() == 1
    assert registry["one"] is one


@pytest.mark.parametrize("registry", [METHODS, BOLUS_RULES, RESIDUES], ids=lambda r: r.family)
def test_registered_names_are_written_as_agreed(registry):
    for entry in registry.entries():
        assert entry.name == entry.name.lower().strip()
        assert " " not in entry.name
        assert "_" not in entry.name
        assert "\n" not in entry.summary
        assert entry.summary
