from hypothesis import given
from hypothesis import strategies as st

from app.modules import reputation
from app.modules.reputation import ReputationMoved, RequesterRecord, Standing
from tests.build import World, an_address


def test_who_has_no_round_has_the_initial_reputation() -> None:
    world = World()
    wanda = an_address("wanda")

    standing = reputation.standing(world.state, reputation.StandingRequest(wanda)).standing

    assert standing == Standing(wanda, 250_000, 0, 0)
    assert reputation.is_newcomer(world.state, wanda)


def test_a_success_moves_a_tenth_of_the_way_up_and_a_failure_a_tenth_of_the_way_down() -> None:
    world = World()
    wanda = world.participant("wanda")

    world.do(reputation.move, wanda, True)
    world.do(reputation.move, wanda, False)

    assert reputation.find_standing(world.state, wanda) == Standing(wanda, 292_500, 2, 1)
    moved = [ReputationMoved(wanda, 325_000, True), ReputationMoved(wanda, 292_500, False)]
    assert world.said(ReputationMoved) == moved


def test_who_has_settled_five_rounds_is_no_newcomer() -> None:
    world = World()
    wanda = world.participant("wanda")
    answers = []

    for _ in range(5):
        world.do(reputation.move, wanda, False)
        answers.append(reputation.is_newcomer(world.state, wanda))

    assert answers == [True, True, True, True, False]


@given(st.lists(st.booleans(), max_size=60))
def test_a_reputation_stays_between_nothing_and_everything(outcomes: list[bool]) -> None:
    world = World()
    wanda = world.participant("wanda")

    for outcome in outcomes:
        world.do(reputation.move, wanda, outcome)

    standing = reputation.find_standing(world.state, wanda)
    assert 0 <= standing.reputation_ppm <= 1_000_000
    assert (standing.round_count, standing.success_count) == (len(outcomes), sum(outcomes))


def test_a_requester_has_a_record_of_its_own() -> None:
    world = World()
    rita = an_address("rita")
    notes = [
        reputation.note_posted_job,
        reputation.note_accepted_job,
        reputation.note_rejected_job,
        reputation.note_cancelled_job,
        reputation.note_failed_job,
        reputation.note_aborted_round,
    ]

    for note in notes:
        note(world.state, rita)
    reputation.note_payment(world.state, rita, 7)

    record = reputation.requester(world.state, reputation.RequesterRequest(rita)).record
    assert record == RequesterRecord(rita, 1, 1, 1, 1, 1, 1, 7)


def median(world: World, amounts: list[int]) -> int:
    rita = an_address("rita")
    for amount in amounts:  # in any order, and over any number of rounds
        reputation.note_seat_pay(world.state, rita, [amount])
    answer = reputation.requester(world.state, reputation.RequesterRequest(rita))
    return answer.seat_pay_median_uflt


def test_the_median_pay_is_the_middle_seats_and_not_the_means() -> None:
    assert median(World(), [0, 0, 7, 7, 1_000_000]) == 7
    assert median(World(), [3, 9]) == 3
    assert median(World(), []) == 0


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=40))
def test_the_median_pay_is_less_by_a_sixteenth_at_most(amounts: list[int]) -> None:
    middle = sorted(amounts)[(len(amounts) - 1) // 2]
    found = median(World(), amounts)
    assert middle - middle // 16 <= found <= middle


def test_a_requesters_record_keeps_less_than_a_thousand_steps_of_pay() -> None:
    steps = [reputation.pay_step(amount) for amount in range(100_000)]
    assert steps == sorted(steps)
    assert [reputation.least_of_step(step) for step in range(200)] == [
        min(amount for amount, at in enumerate(steps) if at == step) for step in range(200)
    ]
    assert reputation.pay_step(2**64 - 1) < 1_000
