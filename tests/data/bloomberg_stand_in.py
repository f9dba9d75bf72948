# ruff: noqa: N802 - the names are blpapi's own
"""A stand-in for blpapi on this machine: its sessions, requests, events, messages and elements.

Its names and its ways are those of Bloomberg's documentation: an event holds messages, a message
holds one element, a response comes as any number of partial ones and a last one, a history as one
message for each security, and a choice or a sequence is walked by ``elements()``.
"""

import datetime as dt
from types import SimpleNamespace

MODULE = "blpapi"


class DataType:
    STRING, FLOAT64, DATE, SEQUENCE, CHOICE = 8, 7, 9, 15, 16


class Event:
    ADMIN, SESSION_STATUS, REQUEST_STATUS, RESPONSE, PARTIAL_RESPONSE = 1, 2, 4, 5, 6
    SERVICE_STATUS, TIMEOUT = 9, 10

    def __init__(self, kind, messages=()):
        self._kind, self._messages = kind, list(messages)

    def eventType(self):
        return self._kind

    def __iter__(self):
        return iter(self._messages)


class CorrelationId:
    def __init__(self, value):
        self._value = value

    def __eq__(self, other):
        return isinstance(other, CorrelationId) and other._value == self._value

    def __hash__(self):
        return hash(self._value)


class Element:
    """Made of plain values: a dict is a sequence, a list an array."""

    def __init__(self, name, value, kind=None):
        self._name, self._value, self._kind = name, value, kind

    def name(self):
        return self._name

    def isArray(self):
        return isinstance(self._value, list)

    def datatype(self):
        first = self._value
        if isinstance(first, list):
            first = first[0] if first else {}
        if isinstance(first, dict):
            return self._kind or DataType.SEQUENCE
        return {float: DataType.FLOAT64, dt.date: DataType.DATE}.get(type(first), DataType.STRING)

    def numValues(self):
        return len(self._value) if self.isArray() else 1

    def isNull(self):
        return self._value is None

    def getValue(self, index=0):
        value = self._value[index] if self.isArray() else self._value
        if isinstance(value, dict):
            raise TypeError("a sequence has no value")
        return value

    def getValueAsElement(self, index=0):
        return Element(self._name, self._value[index])

    def elements(self):
        if self.isArray() or not isinstance(self._value, dict):
            raise TypeError("only a sequence or a choice has elements")
        return (Element(name, value) for name, value in self._value.items())


class Message:
    def __init__(self, kind, body, correlation=None):
        self._kind, self._body, self._correlation = kind, body, correlation

    def messageType(self):
        return self._kind

    def correlationIds(self):
        return [] if self._correlation is None else [self._correlation]

    def asElement(self):
        return Element(self._kind, self._body, DataType.CHOICE)


class Override:
    def __init__(self):
        self.given = {}

    def setElement(self, name, value):
        self.given[name] = value


class Request:
    def __init__(self, kind):
        self.kind, self.settings, self.overrides = kind, {}, []
        self.lists = {"securities": [], "fields": []}

    def append(self, name, value):
        self.lists[name].append(value)

    def set(self, name, value):
        self.settings[name] = value

    def getElement(self, name):
        assert name == "overrides"

        def append():
            self.overrides.append(Override())
            return self.overrides[-1]

        return SimpleNamespace(appendElement=append)


class SessionOptions:
    def setServerHost(self, host):
        self.host = host

    def setServerPort(self, port):
        self.port = port


UNKNOWN = {
    "source": "bbdbd1", "code": 15, "category": "BAD_SEC",
    "message": "Unknown/Invalid Security  [nid:1]", "subcategory": "INVALID_SECURITY",
}  # fmt: skip
LIMIT = {
    "source": "bbdbh5", "code": -4001, "category": "LIMIT",
    "message": "Daily capacity reached.", "subcategory": "DAILY_LIMIT_REACHED",
}  # fmt: skip


class Bloomberg:
    """The module that stands in: what it knows, what it was asked, and its bad days.

    companies : by security: history (rows by day), years (rows), fields (values)
    refused   : fields that it does not have
    events    : put before the answer to a request, by the number of the request, from 1
    errors    : instead of an answer: by the number of the request, a response error
    """

    def __init__(self, companies):
        self.companies = companies
        self.refused = set()
        self.events, self.errors = {}, {}
        self.up, self.service = True, True
        self.requests, self.cancelled, self.stopped = [], [], 0
        self.DataType, self.Event, self.CorrelationId = DataType, Event, CorrelationId
        self.SessionOptions = SessionOptions
        self.__name__ = MODULE

    def Session(self, options):
        return Session(self, options)

    def asked(self, kind):
        return [r for r in self.requests if r.kind == kind]


class Session:
    def __init__(self, bloomberg, options):
        self._all, self.options, self._queue = bloomberg, options, []

    def start(self):
        self._queue.append(Event(Event.SESSION_STATUS, [Message("SessionStarted", {})]))
        return self._all.up

    def openService(self, uri):
        self._queue.append(Event(Event.SERVICE_STATUS, [Message("ServiceOpened", {})]))
        return self._all.service and uri == "//blp/refdata"

    def getService(self, uri):
        return SimpleNamespace(createRequest=Request)

    def stop(self):
        self._all.stopped += 1

    def cancel(self, correlation):
        self._all.cancelled.append(correlation)

    def nextEvent(self, timeout=0):
        return self._queue.pop(0) if self._queue else Event(Event.TIMEOUT)

    def sendRequest(self, request, correlationId=None):
        self._all.requests.append(request)
        number = len(self._all.requests)
        self._queue += self._all.events.get(number, [])
        if number in self._all.errors:
            error = self._all.errors[number]
            if error is not None:  # None: no answer at all
                body = {"responseError": error}
                said = [Message(request.kind.replace("Request", "Response"), body, correlationId)]
                self._queue.append(Event(Event.RESPONSE, said))
            return
        history = request.kind == "HistoricalDataRequest"
        bodies = self._histories(request) if history else self._references(request)
        name = request.kind.replace("Request", "Response")
        messages = [Message(name, {"securityData": b}, correlationId) for b in bodies]
        for message in messages[:-1]:
            self._queue.append(Event(Event.PARTIAL_RESPONSE, [message]))
        self._queue.append(Event(Event.RESPONSE, messages[-1:]))

    def _exceptions(self, request):
        info = {"category": "BAD_FLD", "message": "Field not valid", "subcategory": "INVALID_FIELD"}
        bad = [f for f in request.lists["fields"] if f in self._all.refused]
        return [{"fieldId": f, "errorInfo": info} for f in bad]

    def _histories(self, request):
        for security in request.lists["securities"]:
            company = self._all.companies.get(security)
            body = {"security": security, "sequenceNumber": 0}
            if company is None:
                yield {**body, "securityError": UNKNOWN, "fieldExceptions": [], "fieldData": []}
                continue
            yearly = request.settings["periodicitySelection"] == "YEARLY"
            first, last = (request.settings[k] for k in ("startDate", "endDate"))
            rows = [
                {"date": day, **{f: row[f] for f in request.lists["fields"] if f in row}}
                for day, row in company["years" if yearly else "history"].items()
                if first <= f"{day:%Y%m%d}" <= last
            ]
            exceptions = self._exceptions(request)
            yield {**body, "fieldExceptions": exceptions, "fieldData": rows}

    def _references(self, request):
        """Return the answers two securities to a message, as Bloomberg packs several into one."""
        filtered = any(o.given["fieldId"] == "CORPORATE_ACTIONS_FILTER" for o in request.overrides)
        data = []
        for number, security in enumerate(request.lists["securities"]):
            company = self._all.companies.get(security)
            body = {"security": security, "sequenceNumber": number}
            if company is None:
                data.append({**body, "securityError": UNKNOWN, "fieldExceptions": []})
                continue
            known = dict(company["fields"])
            if not filtered and "EQY_DVD_ADJUST_FACT" in known:
                splits = [r for r in known["EQY_DVD_ADJUST_FACT"] if r[FLAG] == 3.0]
                known["EQY_DVD_ADJUST_FACT"] = splits
            wanted = [f for f in request.lists["fields"] if f not in self._all.refused]
            values = {f: known[f] for f in wanted if f in known}
            exceptions = self._exceptions(request)
            data.append({**body, "fieldExceptions": exceptions, "fieldData": values})
        return [data[i : i + 2] for i in range(0, len(data), 2)]


FLAG = "Adjustment Factor Flag"


def factor(day, value, operator, flag):
    return {
        "Adjustment Date": day, "Adjustment Factor": value,
        "Adjustment Factor Operator Type": float(operator), FLAG: float(flag),
    }  # fmt: skip


def dividend(day, amount, kind="Regular Cash"):
    return {
        "Declared Date": None, "Ex-Date": day, "Record Date": None, "Payable Date": None,
        "Dividend Amount": amount, "Dividend Frequency": "Quarter", "Dividend Type": kind,
    }  # fmt: skip
