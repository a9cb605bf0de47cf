"""`pollen job reject` grants what its committee measures on, and says what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.modules import committees
from app.modules.rounds import RoundPhase, job_state
from app.sdk.protocol import (
    I64,
    U32,
    U64,
    Acceptance,
    CommitteeStep,
    JobPhase,
    JobStateRequest,
    JobStateResponse,
    Measurement,
)
from fl_worker.cli.job.reject import (
    describe_committee,
    grant_kept,
    say_what_comes,
    summarize_committee,
)
from tests.build_committees import granted
from tests.worker.town import Town, ToyApp, open_town
from tests.worker.toy_bench import ToyBench

TERMS = {
    "schedule.round_count": U32(1),
    "acceptance": Acceptance(I64(0), I64(-62_500)),
}
MORE = [f"evaluator {number}" for number in range(3, 6)]


@pytest.fixture
async def town(tmp_path: Path, app: ToyApp, bench: ToyBench) -> AsyncIterator[Town]:
    async with open_town(tmp_path, app, more=MORE) as town:
        yield town


async def to_review(town: Town) -> Any:
    """Have a job done whose requester serves nothing; return who grants for it."""
    me = town.people["requester"]
    me.following.cancel()
    await town.post(TERMS)
    await town.until_phase(RoundPhase.CHALLENGE)
    await town.settle()
    await town.until(lambda: town.job().phase is JobPhase.REVIEW)
    return me


async def test_what_is_kept_is_granted_where_nobody_serves(town: Town) -> None:
    me = await to_review(town)
    await town.reject()
    view = await grant_kept(me, 1)
    assert say_what_comes(view).startswith("3 evaluators who read none of its rounds have the kept")
    assert say_what_comes(view).endswith("Next: pollen job watch 1")
    await town.until(lambda: town.job().phase is JobPhase.SETTLED)
    assert town.job().released_ppm == 500_000


async def test_two_who_grant_at_once_do_no_harm(town: Town) -> None:
    me = await to_review(town)
    await town.reject()
    views = await asyncio.gather(grant_kept(me, 1), grant_kept(me, 1))
    assert [len(view.members) for view in views] == [3, 3]
    assert all(m.slice_keys for m in committees.get_members(town.node.application.state, 1))


async def test_without_a_committee_it_says_that_all_is_lost(
    tmp_path: Path, app: ToyApp, bench: ToyBench
) -> None:
    async with open_town(tmp_path, app, more=MORE[:2]) as town:
        me = await to_review(town)
        await town.reject()
        view = await grant_kept(me, 1)
        assert say_what_comes(view).startswith("Too few evaluators")
        assert summarize_committee(view)["committee_step"] == "UNSPECIFIED"


def make_view() -> JobStateResponse:
    """A real one: a committee of seven that is to commit."""
    play = granted()
    return job_state(play.world.state, JobStateRequest(U64(play.job_id)))


VIEW = make_view()
REVIEW, SETTLED = JobPhase.REVIEW, JobPhase.SETTLED
SHOWN = Measurement(I64(1), b"s" * 32)
WORDS = {
    "7 evaluators wait for slices 8 and 9: pollen job serve": (
        CommitteeStep.GRANT, REVIEW, "", (0, 0),
    ),
    "2 of 7 evaluators have measured": (CommitteeStep.COMMIT, REVIEW, "", (2, 0)),
    "3 of 7 evaluators have shown what they measured": (CommitteeStep.REVEAL, REVIEW, "", (7, 3)),
    "7 of 7 evaluators measured; the median is loss 0.25, so 37.5 % of what was held back is paid":
        (CommitteeStep.DECIDED, SETTLED, "committee", (7, 7)),
    "1 of 7 evaluators measured; too few for a median, so 37.5 % of what was held back is paid":
        (CommitteeStep.DECIDED, SETTLED, "no_committee_quorum", (7, 1)),
    "ended, since the requester accepted": (CommitteeStep.COMMIT, SETTLED, "requester", (2, 0)),
    "": (CommitteeStep.UNSPECIFIED, REVIEW, "", (0, 0)),
}  # fmt: skip


@pytest.mark.parametrize(("words", "shown"), WORDS.items(), ids=WORDS.keys())
def test_of_a_measurement(
    words: str, shown: tuple[CommitteeStep, JobPhase, str, tuple[int, int]]
) -> None:
    step, phase, reason, (committed, revealed) = shown
    members = [
        replace(
            member,
            commitment=b"c" * 32 if at < committed else b"",
            measurement=SHOWN if at < revealed else member.measurement,
        )
        for at, member in enumerate(VIEW.members)
    ]
    committee = replace(
        VIEW.committee, step=step, metric_millionths=I64(250_000), released_ppm=U32(375_000)
    )
    job = replace(VIEW.job, phase=phase, reason=reason)
    view = replace(VIEW, job=job, committee=committee, members=tuple(members))
    assert describe_committee(view) == words
    assert summarize_committee(view)["measured_count"] == committed
    assert summarize_committee(view)["revealed_count"] == revealed
