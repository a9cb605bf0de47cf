"""The draw: anyone can repeat it, nobody sits twice, weights and newcomers get their chances."""

from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.record import Address
from app.learning.draw import AGGREGATOR_DRAW, EVALUATOR_DRAW, WORKER_DRAW, Candidate, draw

SEED = sha256(b"seed").digest()


def address(number: int) -> Address:
    """The address of candidate number so many."""
    return Address(sha256(b"candidate %d" % number).digest()[:20])


def crowd(*weights: int, newcomers: int = 0) -> list[Candidate]:
    """Candidates of these weights, the first so many of them newcomers."""
    return [Candidate(address(i), weight, i < newcomers) for i, weight in enumerate(weights)]


def naive_draw(
    candidates: list[Candidate], seats: int, newcomer_seats: int, domain: bytes
) -> tuple[Address, ...]:
    """The definition: walk the weights of those who are left."""
    left = sorted(candidates, key=lambda c: c.address)
    drawn: list[Address] = []
    for among, end in (
        ([c for c in left if c.is_newcomer], min(seats, newcomer_seats)),
        (left, seats),
    ):
        while len(drawn) < end:
            pool = [c for c in among if c.address not in drawn]
            total = sum(c.weight for c in pool)
            if not total:
                break
            content = domain + SEED + (5).to_bytes(8, "big") + (2).to_bytes(4, "big")
            content += len(drawn).to_bytes(4, "big")
            ticket = int.from_bytes(sha256(content).digest(), "big") % total
            for candidate in pool:
                if ticket < candidate.weight:
                    drawn.append(candidate.address)
                    break
                ticket -= candidate.weight
    return tuple(drawn)


@given(
    st.lists(st.tuples(st.integers(0, 10**15) | st.just(0), st.booleans()), max_size=30),
    st.integers(0, 12),
    st.integers(0, 12),
    st.randoms(use_true_random=False),
)
def test_a_draw_follows_the_definition_in_any_order(
    people: list[tuple[int, bool]], seats: int, newcomer_seats: int, chance: Any
) -> None:
    candidates = [Candidate(address(i), *person) for i, person in enumerate(people)]
    wanted = naive_draw(candidates, seats, newcomer_seats, WORKER_DRAW)
    chance.shuffle(candidates)
    drawn = draw(SEED, 5, 2, candidates, seats, newcomer_seats=newcomer_seats, domain=WORKER_DRAW)
    assert drawn == wanted
    assert len(set(drawn)) == len(drawn)


def test_all_are_drawn_when_there_are_seats_for_all_but_those_without_weight() -> None:
    drawn = draw(SEED, 1, 1, crowd(1, 0, 5, 9), 10, newcomer_seats=2, domain=WORKER_DRAW)
    assert sorted(drawn) == sorted([address(0), address(2), address(3)])


def test_newcomers_sit_first_and_leave_what_they_can_not_fill() -> None:
    candidates = crowd(1, 1, *[10**9] * 20, newcomers=2)
    drawn = draw(SEED, 1, 1, candidates, 10, newcomer_seats=5, domain=WORKER_DRAW)
    assert sorted(drawn[:2]) == sorted([address(0), address(1)])
    assert len(drawn) == 10


def test_seats_come_by_weight() -> None:
    candidates = crowd(1, 2, 3, 4)
    first = Counter(
        draw(SEED, job, 1, candidates, 1, newcomer_seats=0, domain=WORKER_DRAW)[0]
        for job in range(10_000)
    )
    for number in range(4):
        assert abs(first[address(number)] - 1_000 * (number + 1)) < 200  # four deviations


def test_each_seed_job_round_and_domain_draws_anew() -> None:
    candidates = crowd(*[1] * 1_000)
    calls = [
        (SEED, 1, 1, WORKER_DRAW),
        (SEED[::-1], 1, 1, WORKER_DRAW),
        (SEED, 2, 1, WORKER_DRAW),
        (SEED, 1, 2, WORKER_DRAW),
        (SEED, 1, 1, EVALUATOR_DRAW),
        (SEED, 1, 1, AGGREGATOR_DRAW),
    ]
    drawn = {
        draw(seed, job, number, candidates, 5, newcomer_seats=0, domain=domain)
        for seed, job, number, domain in calls
    }
    assert len(drawn) == len(calls)


@pytest.mark.parametrize(
    ("candidates", "sentence"),
    [(crowd(1) * 2, "stands twice"), (crowd(1, -1), "negative")],
)
def test_what_can_not_be_drawn_from(candidates: list[Candidate], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        draw(SEED, 1, 1, candidates, 1, newcomer_seats=0, domain=WORKER_DRAW)


def test_the_published_vectors(vectors: Callable[[str], Any]) -> None:
    cases = []
    for domain in (WORKER_DRAW, EVALUATOR_DRAW, AGGREGATOR_DRAW):
        for seats, newcomer_seats in ((1, 0), (5, 1), (8, 4), (20, 4)):
            candidates = crowd(*(3**i for i in range(12)), newcomers=3)
            drawn = draw(
                SEED, 7, 3, candidates, seats, newcomer_seats=newcomer_seats, domain=domain
            )
            cases.append(
                {
                    "domain": domain.decode(),
                    "seed": SEED.hex(),
                    "job_id": 7,
                    "round": 3,
                    "candidates": [[c.address.hex(), c.weight, c.is_newcomer] for c in candidates],
                    "seats": seats,
                    "newcomer_seats": newcomer_seats,
                    "drawn": [who.hex() for who in drawn],
                }
            )
    vectors("learning/draw.json").check(cases)
