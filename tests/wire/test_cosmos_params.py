"""The messages with which Cosmos replaces params: as protobuf, as Amino JSON, in a proposal."""

from typing import Any

import pytest

from app.modules.gov import VoteOption
from app.modules.gov.cosmos_params import COSMOS_PARAMS, ParamsReplaced
from app.wire.amino import write_any
from app.wire.records import BadField, open_packed, pack, parse, read_messages, serialize
from tests.build_gov import a_governed_world, pass_vote, propose, vote
from tests.build_params import UPDATES


def test_each_is_replaced_by_a_vote() -> None:
    world = a_governed_world()
    proposal_id = propose(world, *UPDATES)
    vote(world, proposal_id, vera=VoteOption.YES)
    pass_vote(world)
    names = ["staking", "downtime", "distribution", "mint"]
    assert world.said(ParamsReplaced) == [ParamsReplaced(name) for name in names]


@pytest.mark.parametrize("update", UPDATES)
def test_a_message_is_the_one_that_cosmos_has(update: Any) -> None:
    assert parse(type(update), serialize(update)) == update
    written = write_any(pack(update), 0)
    assert written["type"] == COSMOS_PARAMS[type(update)].amino_name  # type: ignore[index,call-overload]


def test_decimals_in_bytes_have_their_point_in_amino() -> None:
    written: Any = write_any(pack(UPDATES[1]), 0)
    assert written["value"]["params"]["min_signed_per_window"] == "0.500000000000000000"


def test_a_proposal_s_file_has_decimals_as_people_write_them() -> None:
    plain = {
        "@type": "/cosmos.slashing.v1beta1.MsgUpdateParams",
        "params": {
            "signed_blocks_window": "50",
            "min_signed_per_window": "0.5",
            "downtime_jail_duration": "9s",
            "slash_fraction_double_sign": "1.000000000000000000",
            "slash_fraction_downtime": "0.0",
        },
    }
    (packed,) = read_messages([plain])
    assert open_packed(packed) == UPDATES[1]
    with pytest.raises(BadField, match="min_signed_per_window"):
        read_messages([{**plain, "params": {"min_signed_per_window": "0.x"}}])
