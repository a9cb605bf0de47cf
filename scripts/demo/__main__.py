"""A whole job among cheats on a real network: validators, workers, readers, all real processes.

Posts a Flower app as a job of ten rounds, paid by what each update was worth, and shows live what
happens and who is caught. One worker is killed in the middle and comes back; one validator is
killed and catches up. In the end each cheat's loss is held against the protocol's words, everyone's
money is counted to the unit, the accuracy is held against plain Flower's on the honest workers'
data, and the nodes' states are compared. Exits with 0 only if all of it is right. What it wrote
stays in build/demo.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.live import Live

from app.node.localnet import Localnet
from app.sdk.client import ChainError, Client
from app.sdk.protocol import (
    U64,
    AggregatePosted,
    JobPhase,
    JobStateRequest,
    JobStateResponse,
    RoundPhase,
)
from scripts.demo.cheats import LIE_IN
from scripts.demo.data import DATA_SETS, WORKERS, DataSet, find_data
from scripts.demo.judge import ROUNDS, Judge, check_accuracy, judge_all, plain_flower
from scripts.demo.people import (
    EVALUATORS,
    GIVE_UP,
    LIAR,
    VALIDATORS,
    WORKER_CHEATS,
    Participant,
    common,
    faucet_signer,
    fund,
    make_people,
    network,
    pollen,
    pollend,
    run_command,
    running,
    wait_ready,
)
from scripts.demo.story import (
    DATA,
    FOLDER,
    ROOT,
    Failed,
    Story,
    console,
    draw_accuracy,
    render,
    report,
)

BUDGET_FLT = 1_000
GIVE_UP_IN = 2
VALIDATOR_KILLED_IN, VALIDATOR_GONE_S = 8, 2.0
SETTLE_S_MAX = 120
SCORED = (RoundPhase.CHALLENGE, RoundPhase.SETTLED)
"""When a round's model is judged: nobody who has to be in time is held up."""


def main() -> int:
    """Run the demonstration; 0 if all was right."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="also write the result to this file")
    parser.add_argument("--data", choices=DATA_SETS, default="digits", help="what is learnt")
    parser.add_argument("--data-folder", type=Path, help="where Fashion-MNIST's idx files are")
    options = parser.parse_args()
    if options.data_folder is not None and options.data == "digits":
        parser.error(
            "--data-folder: the digits come with scikit-learn; it goes with another --data"
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    try:
        data = find_data(options.data, options.data_folder)
        result = asyncio.run(demonstrate(data))
    except (Failed, ChainError) as failure:
        console.print(f"[red]The demonstration failed:[/] {failure}")
        console.print(f"What every process said is in {FOLDER.relative_to(ROOT)}/*.log")
        return 1
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
        console.print(f"Written to {options.json}")
    return 0 if not result["failures"] else 1


async def demonstrate(data: DataSet) -> dict[str, Any]:
    """Set up, let the job run, and judge."""
    story = Story()
    story.note(data.describe())
    data.save_workers(DATA)
    with network() as net:
        story.note(f"{VALIDATORS} validators make blocks")
        async with await Client.connect(net.nodes[0].grpc) as client:
            requester, participants = make_people(net, DATA)
            faucet = faucet_signer(net)
            await fund(client, faucet, [each.signer for each in (requester, *participants)])
            workers = [each for each in participants if each.role == "worker"]
            others = [each for each in participants if each.role != "worker"]
            with running(others):
                slowness = await wait_ready(others, story)
                data = replace(data, limits=data.limits.stretch(slowness))
                story.note(f"deadlines are {slowness:.1f} times those of a quiet machine")
                with running(workers):
                    job_id, _ = await asyncio.gather(
                        asyncio.to_thread(post_job, net, data, story), wait_ready(workers, story)
                    )
                    async with Judge(net, data) as judge:
                        with running([requester]):
                            flower = await run_job(client, judge, job_id, participants, story)
                    everyone = [requester, *participants]
                    result = await judge_all(client, net, job_id, everyone, story)
        result |= {
            "data": data.name,
            "accuracy": story.stood[-1],
            "flower_accuracy": flower[-1],
            "accuracy_by_round": story.stood,
            "flower_accuracy_by_round": flower,
            "seconds": round(story.elapsed_s, 1),
        }
    check_accuracy(result)
    draw_accuracy(result)
    report(result)
    return result


def post_job(net: Localnet, data: DataSet, story: Story) -> U64:
    """Write the app and a validation set, as a requester would, and post them as a job."""
    app, validation = FOLDER / "app", FOLDER / "validation"
    run_command("pollen", "job", "init", str(app), "--name", data.name, "--template", data.name)
    data.save("validation", validation)
    cohort, limits = WORKERS + WORKER_CHEATS, data.limits
    terms = {
        "--rounds": ROUNDS, "--budget": f"{BUDGET_FLT}flt",
        "--cohort": cohort, "--cohort-min": cohort // 2, "--reserves": 0,
        "--worker-ppm": 750_000, "--reserve-ppm": 0, "--rule": "trimmed_mean", "--trim": 1,
        "--contribution": "leave_one_out", "--validation": validation,
        "--metric": "eval_loss", "--metric-direction": "lower", "--evaluators": EVALUATORS,
        "--open-seconds": 300, "--commit-seconds": limits.commit_s,
        "--reveal-seconds": limits.reveal_s, "--include-seconds": limits.commit_s,
        "--aggregate-seconds": limits.commit_s,
        "--score-seconds": limits.score_s, "--challenge-seconds": 2, "--review-seconds": 60,
    }  # fmt: skip
    words = [str(word) for pair in terms.items() for word in pair]
    posted = pollen("job", "post", str(app), "--yes", *words, *common(net, "requester", 0))
    story.note(f"job {posted['job_id']} is posted: {ROUNDS} rounds for {BUDGET_FLT} flt")
    return U64(posted["job_id"])


async def run_job(
    client: Client, judge: Judge, job_id: U64, participants: list[Participant], story: Story
) -> list[float]:
    """Follow a job to its end; return plain Flower's accuracy by round."""
    comparing = asyncio.create_task(compare(story, judge))
    await asyncio.gather(
        follow(client, story, judge, job_id),
        name_liar(story, participants),
        let_cheats_go(story, judge.net, job_id),
        kill_worker(story, participants),
        kill_validator(story, judge.net),
    )
    await accept(judge.net, job_id)
    await wait_settled(client, job_id, story)
    return await comparing


async def follow(client: Client, story: Story, judge: Judge, job_id: U64) -> None:
    """Show the job until its rounds are over, and measure every model."""
    measuring: dict[int, asyncio.Task[None]] = {}
    with Live(render(story), console=console, refresh_per_second=4) as live:
        async for view in views(client, job_id, story, judge.data.limits.job_s_max):
            for state in view.rounds:
                number = state.round.round
                if state.round.phase in SCORED and number not in measuring:
                    task = asyncio.create_task(judge.measure(story, job_id, number))
                    measuring[number] = task
            live.update(render(story))
            if view.job.phase not in (JobPhase.OPEN, JobPhase.RUNNING):
                break
        await asyncio.gather(*measuring.values())
        live.update(render(story))
    if story.view is None or story.view.job.phase != JobPhase.REVIEW:
        raise Failed(f"the job ended otherwise: {story.view.job if story.view else 'not seen'}")


async def views(
    client: Client, job_id: U64, story: Story, timeout_s: int
) -> AsyncIterator[JobStateResponse]:
    """Walk the job's state as it changes, and keep what is said; Failed if it takes too long."""
    try:
        async with asyncio.timeout(timeout_s):
            async for update in client.watch_job(job_id, story.height + 1):
                view = await client.query(JobStateRequest(job_id))
                story.height, story.view = update.height, view
                story.events += update.events
                yield view
    except TimeoutError:
        raise Failed(f"the job isn't over after {timeout_s} s") from None


async def compare(story: Story, judge: Judge) -> list[float]:
    """Let plain Flower train once the job's last model is attested, and say how good it is."""
    while story.view is None or story.view.job.completed_round_count < ROUNDS:
        await asyncio.sleep(0.1)
    return await plain_flower(judge, story)


async def reached(story: Story, number: int, phase: RoundPhase) -> None:
    """Return once a round is, or has been, in a phase; Failed if the job ends before."""
    while not story.has_reached(number, phase):
        if story.view is not None and story.view.job.phase not in (JobPhase.OPEN, JobPhase.RUNNING):
            raise Failed(f"round {number} was never {phase.name}")
        await asyncio.sleep(0.02)


async def name_liar(story: Story, participants: list[Participant]) -> None:
    """Name the aggregator whose model of one round was proven false."""
    await reached(story, LIE_IN, RoundPhase.VOIDED)
    posted = [event for event in story.events if isinstance(event, AggregatePosted)]
    address = next(event.aggregator for event in posted if event.round == LIE_IN)
    liar = next(each for each in participants if each.signer.address == address)
    liar.behaviour = LIAR[1]
    story.names[liar.signer.address] = f"{liar.name} ({liar.behaviour})"
    story.note(f"round {LIE_IN}: the model of {liar.name} is proven false, and voided")


async def let_cheats_go(story: Story, net: Localnet, job_id: U64) -> None:
    """Let those who hold up every round leave the job; the round at hand is still owed."""
    await reached(story, GIVE_UP_IN, RoundPhase.REVEAL)
    leave = ("worker", "leave", str(job_id))
    await asyncio.gather(
        *[asyncio.to_thread(pollen, *leave, *common(net, name, 0)) for name in GIVE_UP]
    )
    story.note(f"{' and '.join(GIVE_UP)} leave the job")


async def kill_worker(story: Story, participants: list[Participant]) -> None:
    """Kill an honest worker that is drawn for the next round too, and start it again later.

    The next round is built on the lie and waits for it, and so is voided before it has updates.
    """
    victim = next(each for each in participants if each.role == "worker" and each.is_honest)
    while not story.has_revealed(LIE_IN, victim.signer.address):
        await asyncio.sleep(0.02)
    assert victim.process is not None
    victim.process.kill()
    victim.process.wait()
    victim.behaviour = "restarted"
    story.note(f"round {LIE_IN}: {victim.name} is killed")
    await reached(story, LIE_IN, RoundPhase.VOIDED)
    victim.start()
    story.note(f"{victim.name} is started again")


async def kill_validator(story: Story, net: Localnet) -> None:
    """Kill a validator without warning, and start it again later."""
    await reached(story, VALIDATOR_KILLED_IN, RoundPhase.COMMIT)
    home = Path(net.nodes[-1].home)
    pid = json.loads(pollend("status", "--home", str(home), "--output", "json"))["process"]
    os.kill(pid, signal.SIGKILL)
    story.note(f"round {VALIDATOR_KILLED_IN}: {net.nodes[-1].name} is killed with -9")
    await asyncio.sleep(VALIDATOR_GONE_S)
    await asyncio.to_thread(
        pollend, "localnet", "start", "--validators", str(VALIDATORS), "--home", str(home.parent)
    )
    story.note(f"{net.nodes[-1].name} is started again")


async def accept(net: Localnet, job_id: U64) -> None:
    """Accept the result, as the requester, and take the model."""
    who = str(job_id), *common(net, "requester", 0)
    await asyncio.gather(
        asyncio.to_thread(pollen, "job", "model", *who, "--out", str(FOLDER / "model.pt")),
        asyncio.to_thread(pollen, "job", "accept", *who),
    )


async def wait_settled(client: Client, job_id: U64, story: Story) -> None:
    """Return once everything was paid."""
    async for view in views(client, job_id, story, SETTLE_S_MAX):
        if view.job.phase == JobPhase.SETTLED and view.job.escrow_uflt == 0:
            story.note("the requester accepts; what was held back is paid, the rest returns")
            return


if __name__ == "__main__":
    sys.exit(main())
