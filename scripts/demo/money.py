"""The money, to the unit: what each one earned, paid in fees and lost, and what it holds now."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.request import urlopen

from app.sdk.client import Client
from app.sdk.protocol import (
    PPM,
    U32,
    Address,
    Fault,
    Job,
    LossCompensated,
    PotBurned,
    ProverPaid,
    RegistrationRequest,
    RoundRequest,
    Slashed,
    StandingRequest,
)
from app.sdk.text import from_bech32
from scripts.demo.ledger import Ledger
from scripts.demo.people import BOND_FLT, IDLE, MONEY_FLT, Participant
from scripts.demo.story import FLT

FEE_PPM, POSTING_FLT = 10_000, 10
PROVER_DIVISOR = 4
IDLE_PAY_PARTS = 10
"""Who sends noise or nothing earns under one in so many parts of the mean honest pay."""
TXS_PER_PAGE = 100
PROVEN = (Fault.FALSE_AGGREGATE, Fault.FALSE_ATTESTATION)


async def count_money(
    client: Client, rpc: str, job: Job, participants: Sequence[Participant], events: Sequence[Any]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return who did, earned and lost what, and all that isn't as it should be."""
    ledger = Ledger(job, {each.signer.address: BOND_FLT * FLT for each in participants})
    for event in events:
        ledger.follow(event)
    fees = await asyncio.to_thread(find_fees, rpc)
    shares = await find_shares(client, job)
    rows, failures = [], check_slashed(job, events)
    for each in participants:
        address = each.signer.address
        lost = sum(loss.amount_uflt for loss in ledger.losses[address])
        earned = compute_pay(job, shares.get(address, [])) + find_compensation(events, address)
        row = {
            "name": each.name,
            "role": each.role,
            "behaviour": each.behaviour,
            "paid_rounds": len(shares.get(address, [])),
            "earned_uflt": earned,
            "fees_uflt": fees.get(address, 0),
            "slashed_uflt": lost,
            "faults": [f"round {loss.round}: {loss.fault}" for loss in ledger.losses[address]],
            "reputation_ppm": (
                await client.query(StandingRequest(address))
            ).standing.reputation_ppm,
        }
        if each.role != "requester":
            rows.append(row)
        failures += await check_balances(client, job, each, row)
        failures += check_behaviour(each, row)
    return rows, failures + check_idle(rows)


async def check_balances(
    client: Client, job: Job, each: Participant, row: Mapping[str, Any]
) -> list[str]:
    """Hold what one has against what it had, earned, paid in fees and lost; return the faults."""
    address, bond = each.signer.address, BOND_FLT * FLT
    expected = {"account": MONEY_FLT * FLT - row["fees_uflt"]}
    found = {"account": await client.balance(address)}
    if each.role == "requester":
        expected["account"] -= POSTING_FLT * FLT + job.paid_uflt
    elif each.role == "watcher":
        expected["account"] += row["earned_uflt"]
    else:
        expected["account"] -= bond
        expected |= {"payout address": row["earned_uflt"], "bond": bond - row["slashed_uflt"]}
        found["payout address"] = await client.balance(each.payout)
        registration = (await client.query(RegistrationRequest(address))).registration
        found["bond"] = registration.bonded_uflt
    return [
        f"{each.name}: its {place} holds {found[place]} uflt, it should be {amount}"
        for place, amount in expected.items()
        if found[place] != amount
    ]


def check_behaviour(each: Participant, row: Mapping[str, Any]) -> list[str]:
    """Find who was punished and shouldn't be, or the other way round."""
    if each.is_honest == (not row["faults"]) or each.behaviour in IDLE:
        return []
    return [f"{each.name} ({each.behaviour}) is charged with {row['faults'] or 'nothing'}"]


def check_idle(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Find who sent noise or nothing and earned more than a trifle."""
    workers = [row for row in rows if row["role"] == "worker"]
    honest = [row["earned_uflt"] for row in workers if row["behaviour"] in ("honest", "restarted")]
    return [
        f"{row['name']} ({row['behaviour']}) earned {row['earned_uflt']} uflt, the mean honest "
        f"pay is {sum(honest) // len(honest)}"
        for row in workers
        if row["behaviour"] in IDLE
        and row["earned_uflt"] * IDLE_PAY_PARTS * len(honest) >= sum(honest)
    ]


def check_slashed(job: Job, events: Sequence[Any]) -> list[str]:
    """Find slashed money that isn't the prover's quarter, made no loss good, and wasn't burned."""
    slashed = [each for each in events if isinstance(each, Slashed)]
    proofs = [each for each in events if isinstance(each, ProverPaid)]
    given = [*proofs, *[e for e in events if isinstance(e, LossCompensated | PotBurned)]]
    failures = []
    if job.escrow_uflt:
        failures.append(f"the job still holds {job.escrow_uflt} uflt")
    if len(proofs) != 1:
        failures.append(f"{len(proofs)} models were proven false, it should be one")
    total, spent = (sum(each.amount_uflt for each in some) for some in (slashed, given))
    if total != spent:
        failures.append(f"{total} uflt were slashed, {spent} paid out or burned")
    for proof in proofs:
        proven = [each for each in slashed if each.round == proof.round and each.fault in PROVEN]
        brought = sum(each.amount_uflt for each in proven)
        if proof.amount_uflt != brought // PROVER_DIVISOR:
            failures.append(f"the prover has {proof.amount_uflt} of {brought} uflt")
    return failures


def find_compensation(events: Sequence[Any], who: Address) -> int:
    """Return what somebody has of slashed money: for a proof, or for what it lost by a lie."""
    losses = [each for each in events if isinstance(each, LossCompensated)]
    proofs = [each for each in events if isinstance(each, ProverPaid)]
    paid = [each.amount_uflt for each in losses if each.participant == who]
    return sum(paid) + sum(each.amount_uflt for each in proofs if each.prover == who)


async def find_shares(client: Client, job: Job) -> dict[Address, list[int]]:
    """Return everybody's share of each round that paid it, before the protocol's fee."""
    shares: dict[Address, list[int]] = {}
    for number in range(1, job.next_round):
        state = (await client.query(RoundRequest(job.job_id, U32(number)))).state
        earned = [(seat.worker, seat.earned_uflt) for seat in state.seats]
        earned += [(reader.participant, reader.earned_uflt) for reader in state.readers]
        for who, share in earned:
            if share:
                shares.setdefault(who, []).append(share)
    return shares


def compute_pay(job: Job, shares: Sequence[int]) -> int:
    """Return what shares come to at the payout address: a part at once, a part held back, a fee."""
    held = [share * job.spec.pay.held_back_ppm // PPM for share in shares]
    at_once = [share - back for share, back in zip(shares, held, strict=True)]
    return sum(part - part * FEE_PPM // PPM for part in [*at_once, sum(held)])


def find_fees(rpc: str) -> dict[Address, int]:
    """Return what each account has paid in fees, as the engine's index of transactions has it."""
    txs: list[Any] = []
    is_whole = False
    while not is_whole:
        page = len(txs) // TXS_PER_PAGE + 1
        query = f"query=%22tx.height%3E0%22&per_page={TXS_PER_PAGE}&page={page}"
        with urlopen(f"http://{rpc}/tx_search?{query}", timeout=30) as answer:
            found = json.load(answer)["result"]
        txs += found["txs"]
        is_whole = len(txs) >= int(found["total_count"])
    return sum_fees(txs)


def sum_fees(txs: Iterable[Mapping[str, Any]]) -> dict[Address, int]:
    """Return what each account has paid in the fees of some transactions."""
    fees: dict[Address, int] = {}
    for event in [event for tx in txs for event in tx["tx_result"]["events"]]:
        said = {each["key"]: each["value"] for each in event["attributes"]}
        if event["type"] == "tx" and "fee_payer" in said:
            payer = from_bech32(said["fee_payer"])
            fees[payer] = fees.get(payer, 0) + int(said["fee"].removesuffix("uflt"))
    return fees
