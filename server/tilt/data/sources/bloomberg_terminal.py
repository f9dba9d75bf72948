"""Requests to Bloomberg, over blpapi: what is asked, the events that answer, and what went wrong.

A request is answered by any number of ``PARTIAL_RESPONSE`` events and one ``RESPONSE``; each holds
messages, a message holds elements. All of it becomes plain values at once (:func:`plain`), so that
nothing above this module knows an element.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType, TracebackType
from typing import Protocol, TypeAlias, cast

from tilt.errors import BusyError, cut

Plain: TypeAlias = "str | float | int | bool | dt.date | list[Plain] | dict[str, Plain] | None"
Row: TypeAlias = "dict[str, Plain]"

REFDATA = "//blp/refdata"
HISTORICAL = "HistoricalDataRequest"
REFERENCE = "ReferenceDataRequest"
# all four, or the closes follow a setting of whoever is signed in at the Terminal
UNADJUSTED: Mapping[str, bool] = {
    "adjustmentNormal": False,
    "adjustmentAbnormal": False,
    "adjustmentSplit": False,
    "adjustmentFollowDPDF": False,
}
DAILY: Mapping[str, str | bool] = {
    "periodicityAdjustment": "ACTUAL",
    "periodicitySelection": "DAILY",
    "nonTradingDayFillOption": "ACTIVE_DAYS_ONLY",
    **UNADJUSTED,
}
FISCAL_YEARS: Mapping[str, str | bool] = {
    "periodicityAdjustment": "FISCAL",
    "periodicitySelection": "YEARLY",
    **UNADJUSTED,
}


class Element(Protocol):
    """The part of blpapi's ``Element`` that is used here."""

    def datatype(self) -> int: ...
    def isArray(self) -> bool: ...  # noqa: N802 - blpapi's own names
    def isNull(self) -> bool: ...  # noqa: N802
    def numValues(self) -> int: ...  # noqa: N802
    def getValue(self, index: int = 0) -> Plain: ...  # noqa: N802
    def getValueAsElement(self, index: int = 0) -> "Element": ...  # noqa: N802
    def elements(self) -> "Iterator[Element]": ...
    def name(self) -> object: ...


@dataclass(frozen=True)
class Courtesy:
    """How politely Bloomberg is asked.

    pause   : seconds between two requests; there is never more than one at a time
    timeout : seconds without any event after which a request is given up
    """

    pause: float = 0.2
    timeout: float = 60.0
    sleep: Callable[[float], None] = time.sleep


class LimitError(BusyError):
    """Bloomberg gives no more data today."""


class SlowError(BusyError):
    """Bloomberg did not answer in time."""


@dataclass(frozen=True)
class Reply:
    """What Bloomberg says of one security.

    rows    : of a history, a row for each day; otherwise one row
    problem : why there are none; empty if there are
    fields  : by field, why it is missing
    """

    rows: list[Row] = field(default_factory=list)
    problem: str = ""
    fields: dict[str, str] = field(default_factory=dict)


class Terminal:
    """A session with the reference data service; a context manager.

    Parameters
    ----------
    blpapi : the module
    host, port : where the Terminal or a server of Bloomberg's listens
    """

    def __init__(
        self, blpapi: ModuleType, host: str, port: int, *, courtesy: Courtesy | None = None
    ) -> None:
        self._blpapi = blpapi
        self._where = f"{host}:{port}"
        self._courtesy = courtesy or Courtesy()
        options = blpapi.SessionOptions()
        options.setServerHost(host)
        options.setServerPort(port)
        self._session = blpapi.Session(options)
        self._number = 0

    def __enter__(self) -> "Terminal":
        if not self._session.start():
            raise BusyError(
                f"Bloomberg does not answer at {self._where}. Start the Terminal on that machine "
                "and sign in, or set TILT_BLOOMBERG_HOST."
            )
        if not self._session.openService(REFDATA):
            self._session.stop()
            raise BusyError(
                f"Bloomberg at {self._where} does not open {REFDATA}. Sign in to the Terminal."
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.stop()

    def history(
        self,
        securities: Sequence[str],
        fields: Sequence[str],
        days: tuple[dt.date, dt.date],
        options: Mapping[str, str | bool],
    ) -> dict[str, Reply]:
        """Return the rows of each security: ``date`` and the fields that have a value."""
        first, last = (f"{day:%Y%m%d}" for day in days)
        settings = {**options, "startDate": first, "endDate": last}
        return self._asked(HISTORICAL, securities, fields, settings, {})

    def reference(
        self,
        securities: Sequence[str],
        fields: Sequence[str],
        overrides: Mapping[str, str] | None = None,
    ) -> dict[str, Reply]:
        """Return one row for each security; the value of a bulk field is a list of rows."""
        return self._asked(REFERENCE, securities, fields, {}, overrides or {})

    def _asked(
        self,
        kind: str,
        securities: Sequence[str],
        fields: Sequence[str],
        settings: Mapping[str, str | bool],
        overrides: Mapping[str, str],
    ) -> dict[str, Reply]:
        request = self._session.getService(REFDATA).createRequest(kind)
        for security in securities:
            request.append("securities", security)
        for name in fields:
            request.append("fields", name)
        for name, value in settings.items():
            request.set(name, value)
        for name, text in overrides.items():
            override = request.getElement("overrides").appendElement()
            override.setElement("fieldId", name)
            override.setElement("value", text)
        try:
            return self._sent(request)
        except SlowError:  # once more, as a Terminal that was just started is slow
            return self._sent(request)

    def _sent(self, request: object) -> dict[str, Reply]:
        self._courtesy.sleep(self._courtesy.pause)
        self._number += 1
        mine = self._blpapi.CorrelationId(self._number)
        self._session.sendRequest(request, correlationId=mine)
        found: dict[str, Reply] = {}
        for message in self._messages(mine):
            for security, reply in replies(message).items():
                found[security] = _joined(found.get(security), reply)
        return found

    def _messages(self, mine: object) -> Iterator[Row]:
        """Yield the messages that answer a request, until the last one."""
        event_kinds = self._blpapi.Event
        while True:
            event = self._session.nextEvent(int(self._courtesy.timeout * 1000))
            kind = event.eventType()
            if kind == event_kinds.TIMEOUT:
                self._session.cancel(mine)
                raise SlowError(
                    f"Bloomberg gave no answer within {self._courtesy.timeout:g} seconds."
                )
            ended = False
            for message in event:
                if str(message.messageType()) in {"SessionTerminated", "SessionConnectionDown"}:
                    raise BusyError("The connection to Bloomberg was lost.")
                # an answer to a request that was given up may still come
                if mine not in message.correlationIds():
                    continue
                said = plain(message.asElement(), self._blpapi)
                if kind == event_kinds.REQUEST_STATUS:
                    raise BusyError(f"Bloomberg refuses the request: {_words(said)}.")
                if kind in {event_kinds.RESPONSE, event_kinds.PARTIAL_RESPONSE}:
                    yield cast("Row", said)
                    ended = kind == event_kinds.RESPONSE
            if ended:
                return


def plain(element: Element, blpapi: ModuleType) -> Plain:
    """Return an element as plain values: a sequence as a dict, an array as a list."""
    nested = element.datatype() in {blpapi.DataType.SEQUENCE, blpapi.DataType.CHOICE}
    if element.isArray():
        places = range(element.numValues())
        if nested:
            return [plain(element.getValueAsElement(i), blpapi) for i in places]
        return [element.getValue(i) for i in places]
    if nested:
        return {str(e.name()): plain(e, blpapi) for e in element.elements()}
    return None if element.isNull() else element.getValue()


def replies(message: Row) -> dict[str, Reply]:
    """Return what a message says of each of its securities.

    Raises
    ------
    LimitError
        If a limit of the day or the month is reached.
    SlowError
        If Bloomberg itself ran out of time.
    BusyError
        If it refuses the request.
    """
    error = message.get("responseError")
    if isinstance(error, dict):
        _raise_limit(error)
        if error.get("category") == "TIMEOUT":
            raise SlowError(f"Bloomberg gave no answer: {_words(error)}.")
        raise BusyError(f"Bloomberg refuses the request: {_words(error)}.")
    data = message.get("securityData")
    given = data if isinstance(data, list) else [data]
    return {str(d.get("security")): _reply(d) for d in given if isinstance(d, dict)}


def _reply(data: Row) -> Reply:
    error = data.get("securityError")
    if isinstance(error, dict):
        _raise_limit(error)
        return Reply(problem=_words(error))
    exceptions = data.get("fieldExceptions")
    fields: dict[str, str] = {}
    for exception in exceptions if isinstance(exceptions, list) else []:
        if isinstance(exception, dict):
            info = exception.get("errorInfo")
            _raise_limit(info if isinstance(info, dict) else {})
            fields[str(exception.get("fieldId"))] = _words(info)
    found = data.get("fieldData")
    rows = found if isinstance(found, list) else [found]
    return Reply(rows=[r for r in rows if isinstance(r, dict) and r], fields=fields)


def _joined(before: Reply | None, more: Reply) -> Reply:
    if before is None:
        return more
    problem = before.problem or more.problem
    return Reply(before.rows + more.rows, problem, {**before.fields, **more.fields})


def _raise_limit(error: Row) -> None:
    kinds = f"{error.get('category')} {error.get('subcategory')}".upper()
    if "LIMIT" in kinds:
        raise LimitError(f"Bloomberg's limit is reached: {_words(error)}.")


def _words(error: Plain) -> str:
    """Return the message of an error element, without a dot at its end."""
    if isinstance(error, dict):
        inner = error.get("reason")
        error = inner if isinstance(inner, dict) else error
        error = error.get("message") or error.get("description") or error.get("category")
    return cut(str(error), 120).rstrip(".")
