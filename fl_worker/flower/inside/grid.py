"""A Grid whose nodes are functions of this process."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable

from flwr.app import Message, RecordDict
from flwr.serverapp import Grid
from flwr.supercore.run import Run


class LocalGrid(Grid):
    """What a ServerApp talks to; `nodes` and `answer` decide who is there and what comes back."""

    def __init__(
        self,
        run_id: int,
        nodes: Callable[[], Iterable[int]],
        answer: Callable[[list[Message]], list[Message]],
    ) -> None:
        """Ask `nodes` for the node ids, and `answer` for the replies to what is sent at once."""
        self.nodes = nodes
        self.answer = answer
        self.replies: dict[str, Message] = {}
        self.set_run(Run.create_empty(run_id))

    def set_run(self, run: Run) -> None:
        """Keep the run."""
        self._run = run

    @property
    def run(self) -> Run:
        """Give the run."""
        return self._run

    def create_message(
        self,
        content: RecordDict,
        message_type: str,
        dst_node_id: int,
        group_id: str,
        ttl: float | None = None,
    ) -> Message:
        """Make a message of this run."""
        return Message(content, dst_node_id, message_type, group_id=group_id, ttl=ttl)

    def get_node_ids(self) -> Iterable[int]:
        """Give the ids of the nodes."""
        return self.nodes()

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Deliver messages; their ids are what the replies are pulled by."""
        batch = list(messages)
        ids = [uuid.uuid4().hex for _ in batch]
        for message_id, message in zip(ids, batch, strict=True):
            message.metadata.__dict__["_message_id"] = message_id
        if batch:
            replies = self.answer(batch)
            self.replies |= {reply.metadata.reply_to_message_id: reply for reply in replies}
        return ids

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """Give the replies to messages, each once."""
        return [self.replies.pop(key) for key in list(message_ids) if key in self.replies]

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterable[Message]:
        """Deliver messages and give the replies."""
        return self.pull_messages(self.push_messages(messages))
