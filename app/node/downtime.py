"""What Cosmos' clients ask of votes that were missing: `cosmos.slashing.v1beta1.Query`."""

from __future__ import annotations

from typing import Any

from cosmpy.protos.cosmos.slashing.v1beta1 import query_pb2, slashing_pb2
from google.protobuf.duration_pb2 import Duration

from app.kernel.bech32 import CONSENSUS_PREFIX, from_bech32
from app.kernel.record import Time
from app.modules import downtime, staking
from app.node.question import Method, Refusal, View
from app.node.staking import cut, missing, write_date
from app.wire.records import write_time


def signing_info(view: View, request: Any) -> Any:
    """Answer with what a validator has missed or done wrong."""
    address = read_consensus_address(request.cons_address)
    if staking.find_validator(view.state, address) is None:
        raise missing(f"no signing info found for validator {request.cons_address}")
    info = write_info(view, address)
    return query_pb2.QuerySigningInfoResponse(val_signing_info=info)


def signing_infos(view: View, request: Any) -> Any:
    """Answer with what each validator has missed or done wrong."""
    keys = [row.key for _, row in staking.VALIDATORS.items(view.state)]
    addresses, page = cut(sorted(map(staking.consensus_address, keys)), request.pagination)
    infos = [write_info(view, address) for address in addresses]
    return query_pb2.QuerySigningInfosResponse(info=infos, pagination=page)


def params(view: View, request: Any) -> Any:
    """Answer with the params."""
    known = downtime.PARAMS.get(view.state)
    shown = slashing_pb2.Params(
        signed_blocks_window=known.signed_blocks_window,
        min_signed_per_window=str(known.min_signed_per_window).encode(),
        downtime_jail_duration=Duration(seconds=known.jail_s),
        slash_fraction_double_sign=str(known.slash_fraction_double_sign).encode(),
        slash_fraction_downtime=str(known.slash_fraction_downtime).encode(),
    )
    return query_pb2.QueryParamsResponse(params=shown)


def write_info(view: View, address: bytes) -> Any:
    """Return what a validator has missed or done wrong as Cosmos shows it."""
    known, info = downtime.PARAMS.get(view.state), downtime.find_info(view.state, address)
    now_ms = view.next_block.time_ms - staking.to_date(view.state, 0)
    sample = downtime.sample_at(known, now_ms)
    until_ms = info.jailed_until_ms
    until = write_time(Time(until_ms)) if info.tombstoned else write_date(view.state, until_ms)
    return slashing_pb2.ValidatorSigningInfo(
        address=downtime.consensus_text(address),
        start_height=info.start_height,
        index_offset=sample % known.signed_blocks_window,
        jailed_until=until,
        tombstoned=info.tombstoned,
        missed_blocks_counter=downtime.count_missed(known, info, sample),
    )


def read_consensus_address(text: str) -> bytes:
    """Return the consensus address that a question names."""
    try:
        return bytes(from_bech32(text, CONSENSUS_PREFIX))
    except ValueError as error:
        raise Refusal(f"cons_address: {error}") from None


ANSWERS = {"SigningInfo": signing_info, "SigningInfos": signing_infos, "Params": params}
DOWNTIME_METHODS = {
    f"/cosmos.slashing.v1beta1.Query/{name}": Method(
        getattr(query_pb2, f"Query{name}Request"),
        getattr(query_pb2, f"Query{name}Response"),
        function,
    )
    for name, function in ANSWERS.items()
}
