"""A server over a copy of the sample whose users ask by keys, and may what each was granted."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from serving import PATIENCE, listening

from tilt.api.app import create_app
from tilt.data.store import Store
from tilt.security import create_key, people
from tilt.security.deciding import ROLES
from tilt.security.people import Grant
from tilt.settings import Settings

SECRET = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Served:
    """A server with users, each of whom asks by a key of their own."""

    http: httpx.Client
    keys: dict[str, str]
    app: FastAPI
    store: Store

    def ask(self, user, method, path, **sent):
        headers = {} if user is None else {"Authorization": f"Bearer {self.keys[user]}"}
        headers |= sent.pop("headers", {})
        return self.http.request(method, path, headers=headers, **sent)

    def cells(self, user, calls):
        """Return the answers to calls of cells, in one batch."""
        bodies = [
            {"func_name": name, "args": [a if isinstance(a, list) else [[a]] for a in arguments]}
            for name, arguments in calls
        ]
        body = {"calls": bodies, "wait": 0}
        answer = self.ask(user, "POST", "/xlwings/custom-functions-batch", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["results"]

    def grant(self, to, kind, name, verbs, to_kind="user"):
        people.grant(
            self.store.catalog, Grant.of(to_kind, to, kind, name, verbs), by="administrator"
        )


@contextmanager
def granted(sample: str, folder: Path, users: Iterable[str], **changed: object) -> Iterator[Served]:
    """Serve a copy of the sample to users; one who is called as a role is has it.

    Jobs are taken in and none is run, unless ``processes`` says how many.
    """
    shutil.copytree(sample, folder)
    settings = Settings(data_url=str(folder), auth="keys", secret_key=SecretStr(SECRET))
    settings = settings.model_copy(update={"requests_per_minute": 0, "processes": 0, **changed})
    own = Store.open(settings)
    keys = {}
    for user in users:
        keys[user] = create_key(own.catalog, user, secret=SECRET).key
        people.assign_roles(own.catalog, user, [user] if user in ROLES else [])
    app = create_app(settings)
    with (
        listening(app) as address,
        httpx.Client(base_url=address, headers={"X-Tilt-Client": "t"}, timeout=PATIENCE) as http,
    ):
        yield Served(http, keys, app, own)
    own.close()
