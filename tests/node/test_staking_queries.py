"""What Cosmos' clients see of validators and stake."""

from typing import Any

import pytest
from cosmpy.protos.cosmos.slashing.v1beta1 import query_pb2 as slashing_query
from cosmpy.protos.cosmos.staking.v1beta1 import query_pb2, staking_pb2

from app.kernel.bech32 import to_bech32
from app.kernel.context import Misbehaviour
from app.kernel.decimals import ONE
from app.kernel.record import U64
from app.kernel.trie import Forest
from app.modules import clock, downtime
from app.node.question import Refusal, View
from app.node.views import answer
from app.wire.records import write_operator
from tests.build import FLT, an_address
from tests.build_staking import (
    StakingWorld,
    a_creation,
    a_delegation,
    a_redelegation,
    an_operator,
    an_undelegation,
)

HALT_MS = 5_000_000


def a_world() -> StakingWorld:
    """A world in which ada has staked, moved and taken out, on a chain that once stood still."""
    world = StakingWorld(["vera", "vito"], params={"staking": {"unbonding_s": U64(100)}})
    clock.HALTS.put(world.state, clock.Halts(U64(HALT_MS)))
    ada = world.account("ada")
    world.account("vida")
    world.run(a_creation("vida", FLT // 2))
    world.run(a_delegation(ada, "vera", 5 * FLT))
    world.run(a_redelegation(ada, "vera", "vito", FLT))
    world.run(an_undelegation(ada, "vera", 2 * FLT))
    world.pass_block()
    return world


def ask(world: StakingWorld, name: str, **fields: Any) -> Any:
    """The answer to a question."""
    request = getattr(query_pb2, f"Query{name}Request")(**fields)
    path = f"/cosmos.staking.v1beta1.Query/{name}"
    data = answer(View(world.state, world.block, Forest()), path, request.SerializeToString())
    return getattr(query_pb2, f"Query{name}Response").FromString(data)


def text(name: str) -> str:
    """A validator as it is named."""
    return write_operator(an_operator(name))


def test_validators_are_listed_by_state_and_in_pages() -> None:
    world = a_world()
    found = ask(world, "Validators", pagination={"limit": 2, "count_total": True})
    assert [row.tokens for row in found.validators] == ["12000000", "11000000"]
    assert found.pagination.total == 3
    rest = ask(world, "Validators", pagination={"key": found.pagination.next_key})
    assert [row.operator_address for row in rest.validators] == [text("vida")]
    assert not rest.pagination.next_key
    unbonded = ask(world, "Validators", status="BOND_STATUS_UNBONDED").validators
    assert [row.operator_address for row in unbonded] == [text("vida")]
    with pytest.raises(Refusal, match="invalid validator status"):
        ask(world, "Validators", status="AWAKE")


def test_a_validator_is_shown_as_cosmos_shows_it() -> None:
    world = a_world()
    row = ask(world, "Validator", validator_addr=text("vida")).validator
    assert (row.status, row.jailed) == (staking_pb2.BOND_STATUS_UNBONDED, False)
    assert row.consensus_pubkey.type_url == "/cosmos.crypto.ed25519.PubKey"
    assert row.delegator_shares == str(FLT // 2 * ONE)
    assert row.commission.commission_rates.rate == "100000000000000000"
    created = row.commission.update_time.ToMilliseconds()
    assert created == world.block.clock_ms - 1_000 + HALT_MS
    with pytest.raises(Refusal, match="not found") as caught:
        ask(world, "Validator", validator_addr=text("eve"))
    assert caught.value.is_missing
    with pytest.raises(Refusal, match="validator_addr: address"):
        ask(world, "Validator", validator_addr=to_bech32(an_operator("vida")))


def test_delegations_are_found_by_both_sides() -> None:
    world = a_world()
    ada = to_bech32(world.account("ada", 0))
    found = ask(world, "Delegation", delegator_addr=ada, validator_addr=text("vera"))
    stake = found.delegation_response
    assert (stake.delegation.shares, stake.balance.amount) == (str(2 * FLT * ONE), "2000000")
    own = ask(world, "DelegatorDelegations", delegator_addr=ada, pagination={"limit": 1})
    more = {"key": own.pagination.next_key}
    rest = ask(world, "DelegatorDelegations", delegator_addr=ada, pagination=more)
    both = [*own.delegation_responses, *rest.delegation_responses]
    assert {each.delegation.validator_address for each in both} == {text("vera"), text("vito")}
    with_vera = ask(world, "ValidatorDelegations", validator_addr=text("vera"))
    assert {each.balance.amount for each in with_vera.delegation_responses} == {
        "2000000",
        "10000000",
    }
    chosen = ask(world, "DelegatorValidators", delegator_addr=ada).validators
    assert {row.operator_address for row in chosen} == {text("vera"), text("vito")}
    one = ask(world, "DelegatorValidator", delegator_addr=ada, validator_addr=text("vito"))
    assert one.validator.operator_address == text("vito")


def test_a_delegation_that_is_not_there_is_said_in_the_words_that_clients_look_for() -> None:
    world = a_world()
    ada = to_bech32(world.account("ada", 0))
    for name in ("Delegation", "DelegatorValidator"):
        with pytest.raises(Refusal, match="key not found") as caught:
            ask(world, name, delegator_addr=ada, validator_addr=text("vida"))
        assert caught.value.is_missing


def test_what_is_on_its_way_is_shown_with_the_date_of_its_end() -> None:
    world = a_world()
    ada = to_bech32(world.account("ada", 0))
    end_ms = world.block.clock_ms - 1_000 + 100_000 + HALT_MS
    place = {"delegator_addr": ada, "validator_addr": text("vera")}
    (entry,) = ask(world, "UnbondingDelegation", **place).unbond.entries
    assert (entry.balance, entry.creation_height) == ("2000000", world.block.height - 1)
    assert entry.completion_time.ToMilliseconds() == end_ms
    (mine,) = ask(world, "DelegatorUnbondingDelegations", delegator_addr=ada).unbonding_responses
    leaving = ask(world, "ValidatorUnbondingDelegations", validator_addr=text("vera"))
    assert mine == leaving.unbonding_responses[0]
    with pytest.raises(Refusal, match="not found for validator"):
        ask(world, "UnbondingDelegation", delegator_addr=ada, validator_addr=text("vito"))


def test_what_was_moved_is_found_by_its_owner_and_by_its_former_validator() -> None:
    world = a_world()
    ada = to_bech32(world.account("ada", 0))
    mine = ask(world, "Redelegations", delegator_addr=ada).redelegation_responses
    assert [each.redelegation.validator_dst_address for each in mine] == [text("vito")]
    (entry,) = mine[0].entries
    assert (entry.balance, entry.redelegation_entry.initial_balance) == ("1000000", "1000000")
    away = ask(world, "Redelegations", src_validator_addr=text("vera"))
    assert list(away.redelegation_responses) == list(mine)
    other = ask(world, "Redelegations", delegator_addr=ada, src_validator_addr=text("vito"))
    assert not other.redelegation_responses


def test_pool_and_params_are_answered() -> None:
    world = a_world()
    pool = ask(world, "Pool").pool
    assert (pool.bonded_tokens, pool.not_bonded_tokens) == ("23000000", "2500000")
    params = ask(world, "Params").params
    assert (params.bond_denom, params.unbonding_time.seconds) == ("uflt", 100)
    assert (params.max_entries, params.max_validators) == (7, 100)
    assert params.historical_entries > 0


def test_missing_votes_are_shown_as_cosmos_shows_them() -> None:
    world = StakingWorld(["vera", "vito"])
    vito = an_address("vito")
    world.pass_block(10, absent=(vito,))
    text = downtime.consensus_text(vito)

    def ask_slashing(name: str, **fields: Any) -> Any:
        request = getattr(slashing_query, f"Query{name}Request")(**fields)
        path = f"/cosmos.slashing.v1beta1.Query/{name}"
        data = answer(View(world.state, world.block, Forest()), path, request.SerializeToString())
        return getattr(slashing_query, f"Query{name}Response").FromString(data)

    info = ask_slashing("SigningInfo", cons_address=text).val_signing_info
    assert text.startswith("pollenvalcons1")
    assert (info.address, info.missed_blocks_counter, info.tombstoned) == (text, 1, False)
    assert len(ask_slashing("SigningInfos").info) == 2
    params = ask_slashing("Params").params
    assert (params.signed_blocks_window, params.downtime_jail_duration.seconds) == (1_000, 600)
    assert params.slash_fraction_double_sign == b"50000000000000000"
    found = Misbehaviour("duplicate_vote", vito, world.block.height, 0, 10)
    world.pass_block(misbehaviour=(found,))
    info = ask_slashing("SigningInfo", cons_address=text).val_signing_info
    assert (info.tombstoned, info.jailed_until.seconds) == (True, 253_402_300_799)
    with pytest.raises(Refusal, match="no signing info"):
        ask_slashing("SigningInfo", cons_address=downtime.consensus_text(an_address("eve")))
