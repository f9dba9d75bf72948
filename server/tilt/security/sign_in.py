"""From what a request carries to who asks: by an API key or by a token, as the settings have it."""

from dataclasses import dataclass

from sqlalchemy import Engine

from tilt.errors import AccessError
from tilt.security import keys, people
from tilt.security.deciding import Who
from tilt.security.keys import NOT_SIGNED_IN
from tilt.security.tokens import Tokens, is_token
from tilt.settings import Settings


@dataclass(frozen=True, eq=False)
class SignIn:
    """How an installation knows people.

    secret : that API keys are hashed with; None where keys are not taken
    tokens : checks tokens; None where they are not taken
    """

    catalog: Engine
    secret: str | None
    tokens: Tokens | None

    @classmethod
    def of(cls, settings: Settings, catalog: Engine) -> "SignIn":
        """Return how an installation with authentication on knows people."""
        secret = settings.secret_key.get_secret_value() if "keys" in settings.auth else None
        tokens = Tokens.of(settings) if "entra" in settings.auth else None
        return cls(catalog, secret, tokens)

    def who(self, authorization: str) -> Who:
        """Return who sent an ``Authorization`` header, with what they may.

        Raises
        ------
        AccessError
            If it is neither a good key nor a good token; the message does not say why.
        BusyError
            If the keys of tokens cannot be had.
        """
        if self.tokens is not None and is_token(authorization):
            claimed = self.tokens.verify(authorization)
            people.note_sign_in(
                self.catalog, claimed.id, claimed.name, claimed.roles, claimed.groups
            )
            return people.who_is(self.catalog, claimed.id)
        if self.secret is None:
            raise AccessError(NOT_SIGNED_IN)
        return people.who_is(
            self.catalog, keys.verify(self.catalog, authorization, secret=self.secret)
        )
