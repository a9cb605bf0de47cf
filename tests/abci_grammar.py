"""In what order the engine may call the application, from one start of a node to its end.

CometBFT's specification (spec/abci/abci++_comet_expected_behavior.md) gives a grammar of rounds;
any sequence of the calls of rounds is in it, so that what it demands is the order of the rest.
"""

from __future__ import annotations

import re

LETTERS = {
    "init_chain": "I",
    "offer_snapshot": "O",
    "apply_snapshot_chunk": "A",
    "prepare_proposal": "P",
    "process_proposal": "S",
    "extend_vote": "E",
    "verify_vote_extension": "V",
    "finalize_block": "F",
    "commit": "C",
}
START = "(I|(OA*)*OA+)?"
"""A new node's; one that has run before has none, or begins again where no block was committed."""
HEIGHT = "[PSEV]*FC"
CUT_OFF = "[PSEV]*F?"
"""Where the node was ended within a height."""
RUN = re.compile(f"{START}({HEIGHT})*{CUT_OFF}")
NODE_STARTS = re.compile(r" pollend \S+, process ")
CALL = re.compile(r" abci (\w+)$", re.MULTILINE)


def read_runs(log: str) -> list[str]:
    """The calls of each start that a node logged at level debug, a letter each."""
    runs = NODE_STARTS.split(log)[1:]
    return ["".join([LETTERS[name] for name in CALL.findall(run)]) for run in runs]


def is_right(calls: str) -> bool:
    """Whether the engine may have made these calls, in this order."""
    return RUN.fullmatch(calls) is not None
