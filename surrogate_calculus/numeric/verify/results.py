"""A file of findings, a JSON object a line, that nothing can take back what was written to.

A line is on the disk before the next check begins.  A process that is killed leaves whole lines and, at most,
one torn one at the end.  Each line tells the fingerprint of the code that found it; what other code found
stays in the file, but is not taken up.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal

from ...errors import EvaluationError
from .finding import Finding
from .fingerprint import fingerprint

try:
    import fcntl
except ImportError:  # not POSIX: two sessions on one file are not told of each other
    fcntl = None  # type: ignore[assignment]

__all__ = ["FileInUse", "Held", "ResultsFile", "read_findings"]

#: What becomes of findings that the file holds: there must be none; they are taken up; they are let be.
Held = Literal["none", "resume", "apart"]

#: How every line begins.  A last line without an end that begins otherwise was not torn, but is no results.
_BEGINNING = b'{"claim": '


class FileInUse(EvaluationError):
    """Another session has the file of results open."""


class ResultsFile:
    """A file of findings that is open for more; a context manager.

    Args:
        path: of a regular file, which is made where there is none.
        held: what becomes of what it holds.

    Attributes:
        held: where they are taken up, the findings that the file held when it was opened and that this code
            found, by the keys of their checks; of two of one check the later.
        outdated: the keys of checks of which it has but findings by other code.

    Raises:
        EvaluationError: the file cannot be written; it holds something and must not; a line of it is no
            finding; another session has it open (:class:`FileInUse`).
    """

    def __init__(self, path: Path, held: Held = "none") -> None:
        self._path = path
        _check_regular(path)
        try:
            self._file: BinaryIO = path.open("a+b", buffering=0)
        except OSError as error:
            raise _unwritable(path, error) from None
        try:
            self._lock()
            self._file.seek(0)
            data = self._file.read()
            self._end = len(data) - len(_torn(data))
            # A last line that lacks nothing but its end is kept, and ended before the next.
            self._owed = b"" if data[: self._end].endswith(b"\n") or not self._end else b"\n"
            whole = b"" if held == "apart" else data[: self._end]
            lines = list(_findings(whole, str(path)))
            if data and held == "none":
                raise EvaluationError(
                    f"{path} holds results already", instead="--resume to go on from them, or another name"
                )
            self.held = {f.check.key: f for f, code in lines if code == fingerprint()}
            self.outdated = {f.check.key for f, _ in lines} - set(self.held)
        except BaseException:
            self._file.close()
            raise

    def append(self, finding: Finding) -> None:
        """Write a finding, and return when it is on the disk.

        Raises:
            EvaluationError: it cannot be written.
        """
        text = json.dumps({**finding.to_json(), "code": fingerprint()}, ensure_ascii=False)
        # A lone surrogate, which UTF-8 has no bytes for, becomes the escape that JSON reads it from.
        line = self._owed + text.encode(errors="backslashreplace") + b"\n"
        end = self._end + len(line)
        try:
            # What stands behind the last whole line is torn: by a kill, a full disk, or Ctrl-C in a write.
            if self._file.seek(0, os.SEEK_END) > self._end:
                self._file.truncate(self._end)
            while line:
                line = line[self._file.write(line) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(self._path, error) from None
        self._end, self._owed = end, b""

    def _lock(self) -> None:
        """Keep other sessions off; of this process alone, so that an orphaned worker holds nothing."""
        if fcntl is None:
            return
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise FileInUse(
                f"another session is writing to {self._path}", instead="wait for its end, or another name"
            ) from None
        except OSError:  # a file system without locks
            pass

    def __enter__(self) -> ResultsFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()


def read_findings(path: Path) -> list[Finding]:
    """The findings of a file of results, in its order; of several of one check the last alone.

    A torn last line is passed over.  What other code found is among them.

    Args:
        path: of a file that ``surrogate verify`` wrote, whether or not it came to an end.

    Raises:
        EvaluationError: the file cannot be read, or a line of it is no finding.
    """
    _check_regular(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error.strerror}") from None
    whole = data[: len(data) - len(_torn(data))]
    found: dict[str, Finding] = {}
    for finding, _ in _findings(whole, str(path)):
        found.pop(finding.check.key, None)
        found[finding.check.key] = finding
    return list(found.values())


def _torn(data: bytes) -> bytes:
    """The last line where it is the beginning of a finding's and no more, else nothing."""
    last = data[data.rfind(b"\n") + 1 :]
    if not (last.startswith(_BEGINNING) or _BEGINNING.startswith(last)):
        return b""
    with suppress(ValueError, RecursionError):
        json.loads(last)
        return b""
    return last


def _findings(data: bytes, file: str) -> Iterator[tuple[Finding, object]]:
    """Each finding, and the fingerprint of the code that found it: None in files that do not tell."""
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            read = json.loads(line)
            yield Finding.from_json(read), read.get("code")
        except (ValueError, RecursionError, EvaluationError):
            raise EvaluationError(
                f"line {number}: this is no finding",
                instead="a file that `surrogate verify` wrote, or another name",
                file=file,
            ) from None


def _check_regular(path: Path) -> None:
    """Refuse a folder, and what would wait for a reader for ever."""
    try:
        refused = path.exists() and not path.is_file()
    except OSError as error:  # a name that is too long
        raise _unwritable(path, error) from None
    if refused:
        raise EvaluationError(f"{path} is no regular file", instead="the name of a file for results")


def _unwritable(path: Path, error: OSError) -> EvaluationError:
    return EvaluationError(
        f"{path} cannot be written: {error.strerror or error}", instead="a file in a folder that can be"
    )
