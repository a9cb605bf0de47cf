"""UpdateSlashingParams: governance replaces what a validator may miss, and what that costs."""

from typing import Any

import pytest

from app.kernel.decimals import ONE
from app.kernel.record import I64, U64, Dec, Duration
from app.modules import downtime
from tests.build_gov import a_governed_world
from tests.build_params import HALF, OVER, SLASHING, ZERO, check_authority, check_refused

WRONG: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"signed_blocks_window": I64(0)}, ("signed_blocks_window 0",)),
    ({"min_signed_per_window": OVER}, ("min_signed_per_window",)),
    ({"downtime_jail_duration": Duration(0)}, ("downtime_jail_duration",)),
    ({"slash_fraction_double_sign": OVER}, ("slash_fraction_double_sign",)),
]


def test_how_long_a_sample_is_stays() -> None:
    world = a_governed_world()
    world.run(SLASHING)
    sample_s = downtime.Params().sample_s
    wanted = downtime.Params(U64(50), sample_s, HALF, U64(9), Dec(ONE), ZERO)
    assert downtime.PARAMS.get(world.state) == wanted


@pytest.mark.parametrize(("fields", "words"), WRONG)
def test_what_it_could_not_go_on_with_is_refused(
    fields: dict[str, Any], words: tuple[str, ...]
) -> None:
    check_refused(SLASHING, fields, *words)


def test_only_governance_does_so() -> None:
    check_authority(SLASHING)
