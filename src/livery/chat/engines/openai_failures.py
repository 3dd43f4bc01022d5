"""What goes wrong at a provider, as a person is told it: what, where, and what to do next. Never a secret.

A provider's own words are shown cut to a line and with the secrets of the connection taken out; with a 401 they are
not shown at all, because some providers repeat parts of the key in it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any, Final

import httpx2
import openai
from pydantic_ai import exceptions as failed

from livery.chat.engines.connection import Connection
from livery.errors import RuntimeUnavailable

PROVIDER_ERRORS: Final = (
    failed.AgentRunError,
    failed.UserError,
    openai.OpenAIError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    OSError,
    # what an answer of the wrong shape raises deep in the libraries
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What a request can raise; anything else is a fault of Livery itself."""

_LONGEST: Final = 300
_UNPRINTABLE: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def failure_of(error: Exception, connection: Connection, model: str) -> RuntimeUnavailable:
    """The error to raise in place of one of :data:`PROVIDER_ERRORS`."""
    return RuntimeUnavailable(connection.scrub(_told(error, connection, model)))


def _told(error: Exception, at: Connection, model: str) -> str:
    where = f"{at.api_type} at {at.origin}"
    said = _said(error)
    match error:
        case failed.ModelAuthenticationError() if getattr(error, "status_code", 401) == 401:
            refused = "refuses the API key (401); check" if at.key else "wants an API key (401); set"
            return f"{where} {refused} {at.key_field}"
        case failed.ModelAuthenticationError():
            return f"{where} does not allow this{_status(error)}{said}; check what {at.key_field} may be used for"
        case failed.ModelQuotaExceededError():
            return f"{where}: the account's quota is used up{_status(error)}{said}; check its plan or take another key"
        case failed.ModelRateLimitError():
            return f"{where} limits the rate of requests{_status(error)}{said}; try again {_later(error)}"
        case failed.ModelNotFoundError():
            advice = f"check chat.engine and {at.base_url_field}"
            return f"{where} does not know model {model!r}, or its address is wrong{_status(error)}{said}; {advice}"
        case failed.ModelContextWindowExceededError():
            return f"{where}: the conversation is longer than model {model!r} can take{said}; start a new one"
        case failed.ModelRequestRejectedError():
            return f"{where} refuses the request{_status(error)}{said}; check the settings of the profile"
        case failed.ModelServerError() | failed.ModelUnavailableError():
            return f"{where} failed{_status(error)}{said}; try again {_later(error)}"
        case failed.ModelTimeoutError() if error.phase != "connect":
            return f"{where} sent nothing for {at.timeout_s} s; try again, or raise client.timeout"
        case failed.UserError():
            return f"{where} cannot be asked this way: {_cut(str(error))}"
        case failed.ModelConnectionError():
            return _unreached(error, at, where)
        case _:
            return _misunderstood(error, at, where, said)


def _unreached(error: failed.ModelConnectionError, at: Connection, where: str) -> str:
    if error.phase == "read":
        return f"{where} broke off the answer ({_root(error)}); try again"
    late = isinstance(error, failed.ModelTimeoutError)
    reason = f"no connection within {at.timeout_s} s" if late else _root(error)
    way = f"client.proxy_url and {at.base_url_field}" if at.proxy_url else at.base_url_field
    return f"{where} cannot be reached ({reason}); check {way}"


def _root(error: Exception) -> str:
    """The first cause in its own words; those of a refused connection are the system's."""
    cause = _chain(error)[-1]
    if isinstance(cause, ConnectionError) and cause.errno:
        return os.strerror(cause.errno).lower()
    return _cut(str(cause)) or type(cause).__name__


def _misunderstood(error: Exception, at: Connection, where: str, said: str) -> str:
    status = next((cause.status_code for cause in _chain(error) if isinstance(cause, openai.APIStatusError)), 0)
    if 300 <= status < 400:
        advice = f"set {at.base_url_field} to the address it leads to"
        return f"{where} answers with a redirect ({status}), which is not followed; {advice}"
    if isinstance(error, failed.ModelAPIError) and error.in_stream:
        return f"{where} failed in the middle of the answer{said}; try again"
    if isinstance(error, failed.ModelAPIError) and "finish_reason" in str(error):
        return f"{where} broke off the answer; try again, or set chat.stream to false"
    return f"{where} sent something that is no answer{said}; check {at.base_url_field}"


def _status(error: Exception) -> str:
    status = getattr(error, "status_code", None)
    return f" ({status})" if status else ""


def _later(error: Exception) -> str:
    seconds = getattr(error, "retry_after", None)
    return f"in {seconds:g} s" if seconds else "later"


def _said(error: Exception) -> str:
    """The provider's own words, ready to follow a statement; empty where it said nothing."""
    text = next(_texts(getattr(error, "body", None)), "")
    return f": {_cut(text)}" if text.strip() else ""


def _texts(body: Any) -> Iterator[str]:
    """The message in the body of an error: ``error.message``, ``message`` or ``detail``, else the text itself."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, dict):
        for name in ("error", "message", "detail"):
            yield from _texts(body.get(name))


def _cut(text: str) -> str:
    line = _UNPRINTABLE.sub(" ", text).strip()
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _chain(error: BaseException) -> list[BaseException]:
    """An error and what it came from, the first cause last."""
    found = [error]
    while (cause := found[-1].__cause__ or found[-1].__context__) is not None and cause not in found:
        found.append(cause)
    return found
