"""Who must act: a weighted draw without replacement that anyone can recompute.

Candidates stand in address order. The newcomers' seats are drawn first, among newcomers; a seat
they can't fill is drawn among all who are left, like the rest. The winner of ticket i is found by
walking the weights of those not yet drawn:

    ticket i = SHA-256(domain ‖ seed ‖ u64 job ‖ u32 round ‖ u32 i) mod the weight that is left
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from app.kernel.frozen import frozen
from app.kernel.record import Address

WORKER_DRAW = b"pollen/draw/worker"
EVALUATOR_DRAW = b"pollen/draw/evaluator"
AGGREGATOR_DRAW = b"pollen/draw/aggregator"
SCORER_DRAW = b"pollen/draw/scorer"
SLICE_DRAW = b"pollen/draw/slice"
COMMITTEE_DRAW = b"pollen/draw/committee"


@frozen
class Candidate:
    """One who may be drawn; a weight of 0 never is."""

    address: Address
    weight: int
    is_newcomer: bool = False


def draw(
    seed: bytes,
    job_id: int,
    round: int,
    candidates: Sequence[Candidate],
    seats: int,
    *,
    newcomer_seats: int,
    domain: bytes,
) -> tuple[Address, ...]:
    """Return who is drawn, in the order drawn: fewer than `seats` if there are not as many.

    `newcomer_seats` are among the seats. The order of the candidates given doesn't matter.
    ValueError for two of one address or a negative weight.
    """
    waiting = sorted(candidates, key=lambda candidate: candidate.address)
    if len({candidate.address: None for candidate in waiting}) != len(waiting):
        raise ValueError("a candidate stands twice in the draw")
    if any(candidate.weight < 0 for candidate in waiting):
        raise ValueError("a candidate's weight is negative")

    prefix = domain + seed + job_id.to_bytes(8, "big") + round.to_bytes(4, "big")
    newcomers = [candidate for candidate in waiting if candidate.is_newcomer]
    drawn = dict.fromkeys(draw_from(newcomers, prefix, 0, min(seats, newcomer_seats)))
    others = [candidate for candidate in waiting if candidate.address not in drawn]
    return (*drawn, *draw_from(others, prefix, len(drawn), seats))


def draw_numbers(
    seed: bytes, job_id: int, round: int, count: int, *, drawn: int, domain: bytes
) -> tuple[int, ...]:
    """Return `drawn` of the numbers below `count`, each as likely as the others, as drawn."""
    candidates = [Candidate(Address(number.to_bytes(20, "big")), 1) for number in range(count)]
    place = seed, job_id, round
    winners = draw(*place, candidates, drawn, newcomer_seats=0, domain=domain)
    return tuple(int.from_bytes(winner, "big") for winner in winners)


def draw_from(
    candidates: Sequence[Candidate], prefix: bytes, first_ticket: int, end_ticket: int
) -> list[Address]:
    """Return the winners of the tickets from `first_ticket` up to, not including, `end_ticket`."""
    size = 1 << len(candidates).bit_length()
    sums = [0] * size + [candidate.weight for candidate in candidates]  # node n is above 2n, 2n + 1
    sums += [0] * (2 * size - len(sums))
    for node in range(size - 1, 0, -1):
        sums[node] = sums[2 * node] + sums[2 * node + 1]

    winners: list[Address] = []
    for number in range(first_ticket, end_ticket):
        if not sums[1]:
            break
        digest = sha256(prefix + number.to_bytes(4, "big")).digest()
        node = find_winner(sums, int.from_bytes(digest, "big") % sums[1])
        winners.append(candidates[node - size].address)
        weight = sums[node]
        while node:
            sums[node] -= weight
            node //= 2
    return winners


def find_winner(sums: Sequence[int], ticket: int) -> int:
    """Return the leaf at which the weights, added up from the first, exceed the ticket."""
    node = 1
    while 2 * node < len(sums):
        node *= 2
        if ticket >= sums[node]:
            ticket -= sums[node]
            node += 1
    return node
