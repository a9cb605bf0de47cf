"""GrantKeptSlices: the requester gives the committee the keys of the slices kept for acceptance."""

from dataclasses import replace

from app.kernel.record import U64
from app.modules.committees import NoCommittee, WrongCommitteeStep, WrongGrant
from app.modules.jobs import WrongPhase
from app.modules.jobs.ending import NotTheRequester
from app.modules.payouts import AcceptJob
from tests.build_committees import grant_of, members, rejected, reviewed


def test_each_member_gets_its_keys_in_order_and_once() -> None:
    play = rejected()
    message = grant_of(play)
    play.world.run(message)
    found = [member.slice_keys for member in members(play)]
    assert found == [message.keys[2 * i : 2 * i + 2] for i in range(7)]
    play.world.refused(message, WrongGrant, "14 sealed boxes", "once")
    play.world.pass_block()
    play.world.refused(message, WrongCommitteeStep, "is at COMMIT", "limit is GRANT")


def test_what_is_no_grant_is_refused() -> None:
    play = rejected()
    message = grant_of(play)
    few = replace(message, keys=message.keys[1:])
    play.world.refused(few, WrongGrant, "13 sealed boxes", "exactly 14 of 80 bytes", "8, 9")
    short = replace(message, keys=(bytes(79), *message.keys[1:]))
    play.world.refused(short, WrongGrant, "of 80 bytes")
    stranger = replace(message, requester=play.workers[0])
    play.world.refused(stranger, NotTheRequester, "job 1")
    play.world.pass_block(60)
    play.world.refused(message, WrongCommitteeStep, "is at GRANT", "before clock")


def test_there_is_nothing_to_grant_without_a_committee() -> None:
    play = reviewed()
    play.world.refused(grant_of(play), NoCommittee, "job_id 1")
    play.world.run(AcceptJob(play.job().requester, U64(1)))
    play.world.refused(grant_of(play), WrongPhase, "is SETTLED")
