"""Connections that send the head of a request in good time, or are closed."""

import asyncio

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from tilt.api.headers import SECURITY_HEADERS
from tilt.api.problems import problem


class Punctual(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """Reads HTTP as uvicorn does, and closes a connection whose head comes too slowly.

    uvicorn limits how long a connection may lie idle between two requests, but neither before the
    first nor in the middle of a head: without this, sockets could be held open for nothing.

    seconds : from the first moment that a request may come, or its first byte, to the end of its
        head
    """

    seconds = 30.0
    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        if not self._answers() and self._due is None:
            self._await_head()
        super().data_received(data)
        if self._answers():
            self._have_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._have_head()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, with the headers that every answer has."""
        content = problem("", "This is no HTTP request.", status=400, cell="#VALUE!")
        headers = {
            **dict(content.headers), **SECURITY_HEADERS, "Cache-Control": "no-store",
            "Connection": "close",
        }  # fmt: skip
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        start = f"HTTP/1.1 400 Bad Request\r\n{head}\r\n"
        self.transport.write(start.encode("latin-1") + bytes(content.body))
        self.transport.close()

    def _answers(self) -> bool:
        """Whether a request has come and its answer has not gone."""
        return self.cycle is not None and not self.cycle.response_complete

    def _await_head(self) -> None:
        self._due = asyncio.get_running_loop().call_later(self.seconds, self._close)

    def _have_head(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _close(self) -> None:
        self._due = None
        if not self._answers() and not self.transport.is_closing():
            self.transport.close()
