"""What Cosmos' clients see of inflation."""

from typing import Any

from app.kernel.decimals import ONE
from app.kernel.trie import Forest
from app.modules.mint import PARAMS
from app.node.question import View
from app.node.rest_json import to_json
from app.node.views import METHODS, answer
from tests.build import World
from tests.rules.test_mint import HOUR_S, YEARLY, an_inflated_world


def ask(world: World, name: str) -> Any:
    """The answer to a question, as REST shows it."""
    path = f"/cosmos.mint.v1beta1.Query/{name}"
    data = answer(View(world.state, world.block, Forest()), path, b"")
    return to_json(METHODS[path].response.FromString(data))


def test_rate_and_provisions_are_decimals() -> None:
    world = an_inflated_world()
    assert ask(world, "Inflation") == {"inflation": "0.000000000000000000"}
    world.wait(HOUR_S)
    assert ask(world, "Inflation") == {"inflation": "0.070000000000000000"}
    shown = ask(world, "AnnualProvisions")["annual_provisions"]
    assert shown.endswith("000000000000")
    assert int(shown.partition(".")[0]) > 0


def test_the_params_are_shown_as_cosmos_shows_them() -> None:
    world = an_inflated_world()
    assert PARAMS.get(world.state) == YEARLY
    assert ask(world, "Params") == {
        "params": {
            "mint_denom": "uflt",
            "inflation_rate_change": "0.130000000000000000",
            "inflation_max": "0.200000000000000000",
            "inflation_min": "0.070000000000000000",
            "goal_bonded": "0.670000000000000000",
            "blocks_per_year": "8766",
        }
    }
    assert YEARLY.goal_bonded == 67 * ONE // 100
