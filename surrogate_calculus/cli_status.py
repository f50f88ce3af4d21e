"""The exit statuses of the command, in one place for all of its parts."""

from __future__ import annotations

__all__ = ["BAD_INPUT", "FAILS", "HOLDS", "INTERRUPTED", "UNDECIDED"]

#: What was asked holds; it does not; bad input; it is undecided.
HOLDS, FAILS, BAD_INPUT, UNDECIDED = 0, 1, 2, 3
#: After Ctrl-C, as shells have it.
INTERRUPTED = 130
