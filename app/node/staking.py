"""What Cosmos' clients ask of validators and stake: `cosmos.staking.v1beta1.Query`.

Times are shown as dates: when the chain's clock shows them, if it doesn't stand still before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cosmpy.protos.cosmos.base.query.v1beta1 import pagination_pb2
from cosmpy.protos.cosmos.base.v1beta1.coin_pb2 import Coin as CoinMessage
from cosmpy.protos.cosmos.staking.v1beta1 import query_pb2, staking_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from app.kernel.bech32 import OPERATOR_PREFIX, from_bech32, to_bech32
from app.kernel.errors import Rejected
from app.kernel.page import (
    PAGE_DEFAULT,
    PAGE_MAX,
    PageRequest,
    PageResponse,
    get_key_page,
    get_page,
)
from app.kernel.record import U64, Address, Operator
from app.kernel.store import Reader
from app.modules import bank, staking
from app.modules.staking import records
from app.node.question import Method, Refusal, View, to_refusal
from app.wire.records import reader_of, write_consensus_key, write_operator, write_time, writer_of

CODE_NOT_FOUND, CODESPACE = 3, "staking"
"""None are kept; relayers refuse a chain that says 0."""
STATUS_PREFIX = "BOND_STATUS_"

read_page = reader_of(PageRequest, pagination_pb2.PageRequest.DESCRIPTOR)
write_page = writer_of(PageResponse, pagination_pb2.PageResponse.DESCRIPTOR)
write_description = writer_of(staking.Description, staking_pb2.Description.DESCRIPTOR)
write_rates = writer_of(staking.CommissionRates, staking_pb2.CommissionRates.DESCRIPTOR)


def validators(view: View, request: Any) -> Any:
    """Answer with the validators, or those in one state, the most powerful first."""
    wanted = request.status.removeprefix(STATUS_PREFIX)
    if wanted and wanted not in staking.BondStatus.__members__:
        raise Refusal(f"status: invalid validator status {request.status}; leave it empty")
    rows = [row for _, row in staking.VALIDATORS.items(view.state)]
    chosen = [row for row in rows if wanted in ("", row.status.name)]
    chosen.sort(key=lambda row: (-row.tokens_uflt, row.operator))
    shown, page = cut(chosen, request.pagination)
    found = [write_validator(view.state, row) for row in shown]
    return query_pb2.QueryValidatorsResponse(validators=found, pagination=page)


def validator(view: View, request: Any) -> Any:
    """Answer with one validator."""
    row = find_validator(view.state, request.validator_addr)
    return query_pb2.QueryValidatorResponse(validator=write_validator(view.state, row))


def validator_delegations(view: View, request: Any) -> Any:
    """Answer with the delegations with a validator."""
    row = find_validator(view.state, request.validator_addr)
    page = read_page(request.pagination)
    keys, next_page = get_key_page(records.DELEGATORS, view.state, (row.operator,), page)
    places = [(delegator, operator) for operator, delegator in keys]
    found = [records.DELEGATIONS.must(view.state, place) for place in places]
    return query_pb2.QueryValidatorDelegationsResponse(
        delegation_responses=[write_stake(row, each) for each in found],
        pagination=write_page(next_page),
    )


def validator_unbonding_delegations(view: View, request: Any) -> Any:
    """Answer with what is on its way out of a validator."""
    row = find_validator(view.state, request.validator_addr)
    page = read_page(request.pagination)
    keys, next_page = get_key_page(records.LEAVING, view.state, (row.operator,), page)
    places = [(delegator, operator) for operator, delegator in keys]
    found = [records.UNBONDINGS.must(view.state, place) for place in places]
    return query_pb2.QueryValidatorUnbondingDelegationsResponse(
        unbonding_responses=[write_unbonding(view.state, each) for each in found],
        pagination=write_page(next_page),
    )


def delegation(view: View, request: Any) -> Any:
    """Answer with what an account has staked with a validator."""
    place = read_address(request.delegator_addr), read_operator(request.validator_addr)
    try:
        found = staking.require_delegation(view.state, *place)
    except Rejected as rejection:
        raise to_refusal(rejection) from None
    row = staking.VALIDATORS.must(view.state, place[1])
    return query_pb2.QueryDelegationResponse(delegation_response=write_stake(row, found))


def unbonding_delegation(view: View, request: Any) -> Any:
    """Answer with what is on its way from a validator to an account."""
    place = read_address(request.delegator_addr), read_operator(request.validator_addr)
    found = records.UNBONDINGS.get(view.state, place)
    if found is None:
        raise missing(
            f"unbonding delegation with delegator {request.delegator_addr} not found for "
            f"validator {request.validator_addr}"
        )
    unbond = write_unbonding(view.state, found)
    return query_pb2.QueryUnbondingDelegationResponse(unbond=unbond)


def delegator_delegations(view: View, request: Any) -> Any:
    """Answer with all that an account has staked."""
    found, page = find_stakes(view.state, request)
    stakes = [write_stake(*pair) for pair in found]
    return query_pb2.QueryDelegatorDelegationsResponse(delegation_responses=stakes, pagination=page)


def delegator_validators(view: View, request: Any) -> Any:
    """Answer with the validators with which an account has staked."""
    found, page = find_stakes(view.state, request)
    rows = [write_validator(view.state, row) for row, _ in found]
    return query_pb2.QueryDelegatorValidatorsResponse(validators=rows, pagination=page)


def delegator_validator(view: View, request: Any) -> Any:
    """Answer with a validator with which an account has staked."""
    delegation(view, request)
    row = find_validator(view.state, request.validator_addr)
    return query_pb2.QueryDelegatorValidatorResponse(validator=write_validator(view.state, row))


def delegator_unbonding_delegations(view: View, request: Any) -> Any:
    """Answer with all that is on its way to an account."""
    who, page = read_address(request.delegator_addr), read_page(request.pagination)
    found, next_page = get_page(records.UNBONDINGS, view.state, (who,), page)
    return query_pb2.QueryDelegatorUnbondingDelegationsResponse(
        unbonding_responses=[write_unbonding(view.state, each) for each in found],
        pagination=write_page(next_page),
    )


def redelegations(view: View, request: Any) -> Any:
    """Answer with what was moved lately: by an account, or away from a validator."""
    source, destination = request.src_validator_addr, request.dst_validator_addr
    if request.delegator_addr:
        prefix = (read_address(request.delegator_addr),)
        rows = [row for _, row in records.REDELEGATIONS.items(view.state, prefix)]
    else:
        keys = records.MOVED_FROM.keys(view.state, (read_operator(source),))
        places = [(who, origin, target) for origin, who, target in keys]
        rows = [records.REDELEGATIONS.must(view.state, place) for place in places]
    wanted = [
        row
        for row in rows
        if source in ("", write_operator(row.source))
        and destination in ("", write_operator(row.destination))
    ]
    shown, page = cut(wanted, request.pagination)
    return query_pb2.QueryRedelegationsResponse(
        redelegation_responses=[write_redelegation(view.state, row) for row in shown],
        pagination=page,
    )


def pool(view: View, request: Any) -> Any:
    """Answer with how much is staked with who takes part in consensus, and otherwise."""
    accounts = (records.NOT_BONDED_POOL, records.BONDED_POOL)
    amounts = [str(bank.get_balance(view.state, account)) for account in accounts]
    shown = staking_pb2.Pool(not_bonded_tokens=amounts[0], bonded_tokens=amounts[1])
    return query_pb2.QueryPoolResponse(pool=shown)


def params(view: View, request: Any) -> Any:
    """Answer with the params."""
    known = staking.PARAMS.get(view.state)
    shown = staking_pb2.Params(
        unbonding_time=Duration(seconds=known.unbonding_s),
        max_validators=known.max_validators,
        max_entries=known.max_entries,
        historical_entries=staking.HISTORICAL_ENTRIES,
        bond_denom=bank.DENOM,
        min_commission_rate=str(known.min_commission_rate),
    )
    return query_pb2.QueryParamsResponse(params=shown)


def find_stakes(state: Reader, request: Any) -> tuple[list[tuple[Any, Any]], Any]:
    """Return a page of an account's delegations, each behind its validator."""
    who, page = read_address(request.delegator_addr), read_page(request.pagination)
    found, next_page = get_page(records.DELEGATIONS, state, (who,), page)
    pairs = [(staking.VALIDATORS.must(state, each.operator), each) for each in found]
    return pairs, write_page(next_page)


def find_validator(state: Reader, text: str) -> staking.Validator:
    """Return the validator that a question names."""
    row = staking.VALIDATORS.get(state, read_operator(text))
    if row is None:
        raise missing(f"validator {text} not found; the query Validators shows all")
    return row


def missing(text: str) -> Refusal:
    """Return the answer to a question for something that isn't there."""
    return Refusal(text, CODE_NOT_FOUND, CODESPACE, is_missing=True)


def read_address(text: str, field: str = "delegator_addr") -> Address:
    """Return the account that a question names."""
    try:
        return from_bech32(text)
    except ValueError as error:
        raise Refusal(f"{field}: {error}") from None


def read_operator(text: str, field: str = "validator_addr") -> Operator:
    """Return the operator that a question names."""
    try:
        return Operator(from_bech32(text, OPERATOR_PREFIX))
    except ValueError as error:
        raise Refusal(f"{field}: {error}") from None


def cut(rows: Sequence[Any], pagination: Any) -> tuple[Sequence[Any], Any]:
    """Return a page of rows that are at hand; a page's key is where it begins."""
    page = read_page(pagination)
    rows = rows[::-1] if page.reverse else rows
    start = int.from_bytes(page.key, "big") if page.key else page.offset
    end = start + min(page.limit or PAGE_DEFAULT, PAGE_MAX)
    next_key = end.to_bytes(8, "big") if end < len(rows) else b""
    total = U64(len(rows) if page.count_total else 0)
    return rows[start:end], write_page(PageResponse(next_key, total))


def write_validator(state: Reader, row: staking.Validator) -> Any:
    """Return a validator as Cosmos shows it."""
    return staking_pb2.Validator(
        operator_address=write_operator(row.operator),
        consensus_pubkey=write_consensus_key(row.key),
        jailed=row.jailed,
        status=int(row.status),
        tokens=str(row.tokens_uflt),
        delegator_shares=str(row.shares),
        description=write_description(row.description),
        unbonding_height=row.unbonding_height,
        unbonding_time=write_date(state, row.unbonding_ms),
        commission=staking_pb2.Commission(
            commission_rates=write_rates(row.rates),
            update_time=write_date(state, row.rate_changed_ms),
        ),
        min_self_delegation=str(row.self_min_uflt),
    )


def write_stake(row: staking.Validator, found: staking.Delegation) -> Any:
    """Return a delegation, and what it is worth."""
    shown = staking_pb2.Delegation(
        delegator_address=to_bech32(found.delegator),
        validator_address=write_operator(found.operator),
        shares=str(found.shares),
    )
    worth = write_uflt(staking.whole_tokens_of(row, found.shares))
    return staking_pb2.DelegationResponse(delegation=shown, balance=worth)


def write_unbonding(state: Reader, found: records.Unbonding) -> Any:
    """Return what is on its way from a validator to an account."""
    entries = [
        staking_pb2.UnbondingDelegationEntry(
            creation_height=entry.height,
            completion_time=write_date(state, entry.release_ms),
            initial_balance=str(entry.initial_uflt),
            balance=str(entry.balance_uflt),
            unbonding_id=entry.entry_id,
        )
        for entry in found.entries
    ]
    return staking_pb2.UnbondingDelegation(
        delegator_address=to_bech32(found.delegator),
        validator_address=write_operator(found.operator),
        entries=entries,
    )


def write_redelegation(state: Reader, row: records.Redelegation) -> Any:
    """Return what an account moved between two validators."""
    target = staking.VALIDATORS.get(state, row.destination)
    entries = []
    for entry in row.entries:
        shown = staking_pb2.RedelegationEntry(
            creation_height=entry.height,
            completion_time=write_date(state, entry.release_ms),
            initial_balance=str(entry.initial_uflt),
            shares_dst=str(entry.shares),
            unbonding_id=entry.entry_id,
        )
        worth = staking.whole_tokens_of(target, entry.shares) if target and target.shares else 0
        entries.append(
            staking_pb2.RedelegationEntryResponse(redelegation_entry=shown, balance=str(worth))
        )
    moved = staking_pb2.Redelegation(
        delegator_address=to_bech32(row.delegator),
        validator_src_address=write_operator(row.source),
        validator_dst_address=write_operator(row.destination),
    )
    return staking_pb2.RedelegationResponse(redelegation=moved, entries=entries)


def write_date(state: Reader, clock_ms: int) -> Timestamp:
    """Return the date at which the chain's clock shows a time; 1970 for none, as Cosmos has it."""
    return (write_time(staking.to_date(state, clock_ms)) if clock_ms else None) or Timestamp()


def write_uflt(amount: int) -> CoinMessage:
    """Return an amount of uflt."""
    return CoinMessage(denom=bank.DENOM, amount=str(amount))


ANSWERS = {
    "Validators": validators,
    "Validator": validator,
    "ValidatorDelegations": validator_delegations,
    "ValidatorUnbondingDelegations": validator_unbonding_delegations,
    "Delegation": delegation,
    "UnbondingDelegation": unbonding_delegation,
    "DelegatorDelegations": delegator_delegations,
    "DelegatorUnbondingDelegations": delegator_unbonding_delegations,
    "Redelegations": redelegations,
    "DelegatorValidators": delegator_validators,
    "DelegatorValidator": delegator_validator,
    "Pool": pool,
    "Params": params,
}
STAKING_METHODS = {
    f"/cosmos.staking.v1beta1.Query/{name}": Method(
        getattr(query_pb2, f"Query{name}Request"),
        getattr(query_pb2, f"Query{name}Response"),
        function,
    )
    for name, function in ANSWERS.items()
}
