"""Validators between the engine and the chain: powers, missing votes, misbehaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cosmpy.protos.tendermint.abci import types_pb2 as abci
from cosmpy.protos.tendermint.crypto.keys_pb2 import PublicKey
from cosmpy.protos.tendermint.types.validator_pb2 import BLOCK_ID_FLAG_ABSENT
from google.protobuf.timestamp_pb2 import Timestamp

from app.kernel.context import Misbehaviour
from app.node.config import OperatorError


def check_powers(powers: Mapping[bytes, int], engine: Sequence[abci.ValidatorUpdate]) -> None:
    """Refuse a genesis file whose validators are others for the engine than for the chain."""
    told = {each.pub_key.ed25519: each.power for each in engine}
    if told and told != powers:
        names = ", ".join([key.hex() for key in sorted(powers.keys() ^ told.keys())] or ["none"])
        raise OperatorError(
            "genesis: `validators` and app_state.staking differ in keys or powers; keys in one "
            f"alone: {names}"
        )


def to_updates(powers: Mapping[bytes, int]) -> list[abci.ValidatorUpdate]:
    """Return validators' new powers as the engine takes them."""
    return [
        abci.ValidatorUpdate(pub_key=PublicKey(ed25519=key), power=power)
        for key, power in powers.items()
    ]


def find_misbehaviour(request: Any) -> tuple[Misbehaviour, ...]:
    """Return what a block shows that the engine caught validators at."""
    return tuple([read_misbehaviour(found) for found in request.misbehavior])


def read_misbehaviour(found: abci.Misbehavior) -> Misbehaviour:
    """Return what the engine caught a validator at."""
    kind = abci.MisbehaviorType.Name(found.type).lower()
    validator, time_ms = found.validator, to_ms(found.time)
    return Misbehaviour(kind, validator.address, found.height, time_ms, validator.power)


def find_absent(request: Any) -> tuple[bytes, ...]:
    """Return the validators whose votes for the block before a decision or proposal lacks."""
    if isinstance(request, abci.RequestPrepareProposal):  # Nothing is executed on it.
        return ()
    is_decided = isinstance(request, abci.RequestFinalizeBlock)
    commit = request.decided_last_commit if is_decided else request.proposed_last_commit
    votes = [vote for vote in commit.votes if vote.block_id_flag == BLOCK_ID_FLAG_ABSENT]
    return tuple([vote.validator.address for vote in votes])


def to_ms(time_of_header: Timestamp) -> int:
    """Return a header's time in whole milliseconds."""
    return int(time_of_header.seconds * 1000 + time_of_header.nanos // 1_000_000)
