"""The error tree: each class is named by what to do next. Standard library only, so that a DAG file may import it."""

from __future__ import annotations


class MonitorError(Exception):
    """Anything that Luisterpost expects to go wrong. Its text is a sentence for a person: what, where, what to do."""


class ConfigError(MonitorError):
    """A person must edit a file: the text names the file, the line and the remedy."""


class NotAllowed(MonitorError):
    """A case cannot make this move from where it is. The text says why."""


class QueryError(MonitorError):
    """A query that cannot be read; `at` is the position in the text as typed, counted in characters from 0."""

    def __init__(self, message: str, *, at: int, suggestion: str | None = None) -> None:
        super().__init__(f"at {at}: {message}")
        self.message = message
        self.at = at
        self.suggestion = suggestion


class SourceError(MonitorError):
    """A source did not give what was asked of it."""


class SourceUnavailable(SourceError):
    """Timeout, DNS, refused connection, 5xx, truncated body. Next: try again soon."""


class RateLimited(SourceUnavailable):
    """The source asks for patience. Next: try again after `retry_after` seconds (None: the source did not say)."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AccessDenied(SourceError):
    """401, 403, a revoked token. Next: pause the source and tell a person."""


class ResponseNotUnderstood(SourceError):
    """The shape of the answer changed. Next: keep the raw answer, tell a person. `status`: HTTP's, if any."""

    def __init__(self, message: str, *, raw: bytes | None = None) -> None:
        super().__init__(message)
        self.raw = raw
        self.status: int | None = None


class StoreError(MonitorError):
    """The record cannot be read or written."""


class Conflict(StoreError):
    """Somebody else was first; `winner` names them where that is known."""

    def __init__(self, message: str, *, winner: str | None = None) -> None:
        super().__init__(message)
        self.winner = winner


class SearchUnavailable(MonitorError):
    """The search index lags; the record is safe. Next: go on, and show the lag."""


class NotifyError(MonitorError):
    """One delivery on one channel failed. Next: try this channel again later."""

    def __init__(self, message: str, *, retry_after: float | None = None, gone: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.gone = gone


class ReplyError(MonitorError):
    """A reply was refused by the platform."""
