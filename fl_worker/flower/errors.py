"""What can go wrong with someone's Flower app, said so that its owner knows what to do."""

from __future__ import annotations


class FlowerError(Exception):
    """A Flower app, or a setting of one, that can't be used; the text says what to change."""


class AppFailed(FlowerError):
    """The app itself failed; `output` is the tail of what it printed or of its traceback."""

    def __init__(self, reason: str, output: str) -> None:
        super().__init__(f"{reason}\n{output}" if output else reason)
        self.reason = reason
        self.output = output


class AppDied(AppFailed):
    """The app's process ended, or broke off, in the middle of a request."""


class AppTimedOut(AppFailed):
    """The app didn't answer in time; its process was killed."""
