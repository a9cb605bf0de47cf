"""PostAggregate: the aggregators take turns until one model is attested."""

from dataclasses import replace

from app.modules.jobs.limits import InvalidCid
from app.modules.rounds import (
    AggregatePosted,
    AggregatorReplaced,
    DeadlinePassed,
    NotAReader,
    RoundPhase,
    WrongLength,
    WrongRoundPhase,
)
from app.modules.rounds.aggregate import AlreadyPosted, NotItsTurn
from app.modules.rounds.reveal import WrongBlobSize
from tests.build import a_blob
from tests.build_rounds import a_model, a_play


def test_the_model_is_kept_with_the_round() -> None:
    play = a_play().to_aggregate()
    first = play.readers(is_aggregator=True)[0].participant
    assert play.round().aggregator == first
    play.post()
    root, model = a_model()
    assert (play.round().model_root, play.round().model) == (root, model)
    assert play.world.said(AggregatePosted) == [AggregatePosted(1, 1, first, 1, root)]
    assert play.round().phase is RoundPhase.AGGREGATE


def test_the_next_aggregator_takes_its_turn_after_a_full_deadline() -> None:
    play = a_play().to_aggregate()
    aggregators = [reader.participant for reader in play.readers(is_aggregator=True)]
    play.end_phase()
    assert play.round().aggregator == aggregators[1]
    assert play.world.said(AggregatorReplaced) == [AggregatorReplaced(1, 1, aggregators[1], 2)]
    play.post()
    play.attest()
    assert play.round().phase is RoundPhase.CHALLENGE


def test_a_model_that_no_majority_attests_is_dropped_with_its_turn() -> None:
    play = a_play().to_aggregate()
    play.post()
    play.attest(evaluators=play.evaluators[:1])
    play.end_phase()
    assert play.round().aggregate_attempt == 2
    assert play.round().model_root == b""
    assert play.round().attested_count == 0


def test_without_a_model_after_three_turns_the_round_aborts() -> None:
    play = a_play().to_aggregate()
    for _ in range(3):
        assert play.round().phase is RoundPhase.AGGREGATE
        play.end_phase()
    assert play.round().reason == "no_aggregate"


def test_the_round_must_be_in_aggregate() -> None:
    play = a_play().to_include()
    message = play.aggregate_of(play.aggregators[0])
    play.world.refused(message, WrongRoundPhase, "INCLUDE", "AGGREGATE")


def test_after_the_deadline_it_is_too_late() -> None:
    play = a_play().to_aggregate()
    message = play.aggregate_of(play.round().aggregator)
    play.world.pass_block(play.job().spec.schedule.aggregate_s)
    play.world.refused(message, DeadlinePassed, play.round().deadline_clock_ms)


def test_only_a_drawn_aggregator_posts() -> None:
    play = a_play().to_aggregate()
    play.world.refused(play.aggregate_of(play.workers[0]), NotAReader, "aggregator")
    play.world.refused(play.aggregate_of(play.evaluators[0]), NotAReader, "aggregator")


def test_only_the_aggregator_whose_turn_it_is_posts() -> None:
    play = a_play().to_aggregate()
    second = play.readers(is_aggregator=True)[1].participant
    play.world.refused(play.aggregate_of(second), NotItsTurn, "attempt 1")


def test_the_model_must_be_one() -> None:
    play = a_play().to_aggregate()
    message = play.aggregate_of(play.round().aggregator)
    play.world.refused(replace(message, model_root=b""), WrongLength, "model_root", 0, 32)
    unnamed = replace(message.model, cid="")
    play.world.refused(replace(message, model=unnamed), InvalidCid, "model.cid")
    short = a_blob("short", 7_999)
    play.world.refused(replace(message, model=short), WrongBlobSize, 7_999, 8_000)


def test_one_model_a_turn() -> None:
    play = a_play().to_aggregate()
    play.post()
    play.world.refused(play.aggregate_of(play.round().aggregator), AlreadyPosted, "attempt 1")
