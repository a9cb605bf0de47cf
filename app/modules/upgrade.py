"""Upgrades: from which height on other rules hold.

The state says which version of the rules made it. Governance plans an upgrade: a name and a height.
A node whose version doesn't know the name stops before that block and says what to install; one
that knows it migrates the state there, at the beginning of the block, and goes on. What a version
knows and how it migrates stands in `chain.UPGRADES`.
"""

from __future__ import annotations

from typing import ClassVar

from app.kernel.bech32 import to_bech32
from app.kernel.context import Context
from app.kernel.crypto import module_address
from app.kernel.errors import Rejected, broken, require
from app.kernel.frozen import frozen
from app.kernel.module import Message, Module, Query
from app.kernel.record import I64, U64, Address, Nothing, Time
from app.kernel.store import Reader, State
from app.kernel.table import Singleton, Table

AUTHORITY = module_address("gov")
NAME_LENGTH_MAX = 140
INFO_LENGTH_MAX = 10_000


@frozen
class Plan:
    """An upgrade that is planned; height 0: none is."""

    name: str = ""
    time: Time = Time(0)
    """Of no use on this chain, as on others of Cosmos by now."""
    height: I64 = I64(0)
    """The first block of the new rules."""
    info: str = ""
    """What operators should know, such as where the new version is."""
    upgraded_client_state: Nothing = Nothing(b"")


@frozen
class Version:
    """Of the rules that made the state."""

    version: U64 = U64(0)


@frozen
class Applied:
    """An upgrade that happened."""

    name: str
    height: I64


@frozen
class SoftwareUpgrade:
    """Plan an upgrade, in place of the one that was planned."""

    authority: Address
    plan: Plan


@frozen
class CancelUpgrade:
    """Plan no upgrade any more."""

    authority: Address


@frozen
class AppliedPlanRequest:
    """Ask at which height an upgrade happened."""

    name: str


@frozen
class AppliedPlanResponse:
    """The height, 0 if it didn't."""

    height: I64


@frozen
class UpgradePlanned:
    """An upgrade is planned."""

    EVENT_TYPE: ClassVar[str] = "upgrade_planned"
    name: str
    height: I64


@frozen
class UpgradeCancelled:
    """An upgrade is planned no more."""

    EVENT_TYPE: ClassVar[str] = "upgrade_cancelled"
    name: str


@frozen
class UpgradeApplied:
    """Other rules hold from this block on."""

    EVENT_TYPE: ClassVar[str] = "upgrade_applied"
    name: str
    version: U64


class NotGovernance(Rejected):
    """A message that only a proposal may hold."""

    code = 2201
    text = (
        "authority {authority}: is not governance, the limit is {limit}; let a proposal hold the "
        "message"
    )


class InvalidPlan(Rejected):
    """A plan that can't be."""

    code = 2202
    text = "plan.{field} {value}: no valid upgrade, the limit is {limit}; change it"


class NothingPlanned(Rejected):
    """A plan to be cancelled that isn't there."""

    code = 2203
    text = "plan: no upgrade is planned, the limit is one; plan one first"


PLAN = Singleton("upgrade/plan", Plan)
VERSION = Singleton("upgrade/version", Version)
APPLIED = Table("upgrade/applied", key=(str,), record=Applied)
"""By name."""


def find_due(state: Reader, height: int) -> Plan | None:
    """Return the plan whose height this is, or None."""
    plan = PLAN.get(state)
    return plan if plan.height and plan.height == height else None


def apply(state: State, ctx: Context, plan: Plan, version: int) -> None:
    """Note that an upgrade happened, and which version's rules hold now."""
    APPLIED.put(state, plan.name, Applied(plan.name, plan.height))
    VERSION.put(state, Version(U64(version)))
    PLAN.put(state, Plan())
    ctx.emit(UpgradeApplied(plan.name, U64(version)))


def check_authority(authority: Address) -> None:
    """Refuse a message of anybody but governance."""
    names = {"authority": to_bech32(authority), "limit": to_bech32(AUTHORITY)}
    require(authority == AUTHORITY, NotGovernance, **names)


def software_upgrade(state: State, ctx: Context, msg: SoftwareUpgrade) -> None:
    """Plan an upgrade, in place of the one that was planned."""
    check_authority(msg.authority)
    plan, height = msg.plan, ctx.block.height
    is_new = not APPLIED.has(state, plan.name)
    names = f"1 to {NAME_LENGTH_MAX} letters, of none that happened"
    for field, value, is_valid, limit in (
        ("name", plan.name, 0 < len(plan.name) <= NAME_LENGTH_MAX and is_new, names),
        ("time", plan.time, not plan.time, "none; give a height"),
        ("height", plan.height, plan.height > height, f"above {height}"),
        ("info", plan.info[:80], len(plan.info) <= INFO_LENGTH_MAX, f"{INFO_LENGTH_MAX} letters"),
    ):
        require(is_valid, InvalidPlan, field=field, value=value, limit=limit)

    PLAN.put(state, plan)
    ctx.emit(UpgradePlanned(plan.name, plan.height))


def cancel_upgrade(state: State, ctx: Context, msg: CancelUpgrade) -> None:
    """Plan no upgrade any more."""
    check_authority(msg.authority)
    plan = PLAN.get(state)
    require(plan.height > 0, NothingPlanned)

    PLAN.put(state, Plan())
    ctx.emit(UpgradeCancelled(plan.name))


def applied_plan(state: Reader, request: AppliedPlanRequest) -> AppliedPlanResponse:
    """Answer with the height at which an upgrade happened."""
    found = APPLIED.get(state, request.name)
    return AppliedPlanResponse(found.height if found else I64(0))


def a_planned_upgrade_has_a_new_name_and_a_height(state: Reader) -> None:
    """An upgrade that is planned has a name of none that happened."""
    plan = PLAN.get(state)
    is_named = bool(plan.name) and not APPLIED.has(state, plan.name)
    if is_named != (plan.height > 0):
        broken("an upgrade that is planned has a name of none that happened")


MODULE = Module(
    name="upgrade",
    package="cosmos.upgrade.v1beta1",
    tables=(PLAN, VERSION, APPLIED),
    messages={
        SoftwareUpgrade: Message(
            software_upgrade, gas=20_000, amino_name="cosmos-sdk/MsgSoftwareUpgrade"
        ),
        CancelUpgrade: Message(
            cancel_upgrade, gas=20_000, amino_name="cosmos-sdk/MsgCancelUpgrade"
        ),
    },
    queries={AppliedPlanRequest: Query(applied_plan, AppliedPlanResponse)},
    events=(UpgradePlanned, UpgradeCancelled, UpgradeApplied),
    invariants=(a_planned_upgrade_has_a_new_name_and_a_height,),
)
