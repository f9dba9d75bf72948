"""What an installation can set, from the environment (``TILT_...``) or ``tilt.toml``."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from tilt.errors import ArgumentError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
Role = Literal["viewer", "analyst", "trader", "administrator"]
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class MergeSettings(BaseModel):
    """Several sources for one universe: ``[merge.NAME]`` in ``tilt.toml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: tuple[str, ...] = Field(min_length=2, description="In order: the first one wins.")
    description: str = Field(default="", description="One line about the universe.")
    precedence: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="By table or table.column, the sources that come before the order above.",
    )
    tolerance: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict,
        description="By table or table.column, the difference that is none: a fraction; 0.01.",
    )


class Settings(BaseSettings):
    """Settings of one installation; an unknown key in ``tilt.toml`` is an error."""

    model_config = SettingsConfigDict(
        env_prefix="TILT_", toml_file="tilt.toml", extra="forbid", frozen=True
    )

    data_url: str = Field(
        default_factory=lambda: str(user_data_path("tilt")),
        description="Where the data store lies: a folder, or s3://bucket/prefix.",
    )
    work_folder: str = Field(
        default="",
        description=(
            "Local folder for jobs, uploads and the serving cache when the store is in a bucket; "
            "empty: the user's folder."
        ),
    )
    s3_endpoint: str = Field(
        default="",
        description="URL of an S3 server other than Amazon's; region and keys by AWS_ variables.",
    )
    database_url: str = Field(
        default="", description="SQLAlchemy URL of the catalog; empty: SQLite in the data folder."
    )
    default_universe: str = Field(default="US_LARGE_CAP", description="Universe of the cells.")
    host: str = Field(default="127.0.0.1", description="Address the server listens on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port the server listens on.")
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="Host names the server answers to, beside loopback."
    )
    tls_cert: Path | None = Field(
        default=None,
        description="File with the certificate and its chain (PEM), to serve https; empty: http.",
    )
    tls_key: Path | None = Field(
        default=None, description="File with the certificate's private key (PEM), without password."
    )
    auth: Literal["off", "keys", "entra", "keys+entra"] = Field(
        default="off",
        description=(
            "'off' only on loopback; 'keys' asks every call for an API key, 'entra' for a token of "
            "Microsoft Entra ID, 'keys+entra' for either."
        ),
    )
    entra_tenant: str = Field(default="", description="Id of the tenant whose people sign in.")
    entra_client: str = Field(
        default="", description="Id of the application that Tilt is registered as in Entra ID."
    )
    entra_scope: str = Field(
        default="access_as_user", description="Scope that the application exposes for the pane."
    )
    entra_roles: dict[str, Role] = Field(
        default_factory=dict,
        description=(
            "Tilt's role by the application's role in Entra ID; empty: Tilt.Viewer, Tilt.Analyst, "
            "Tilt.Trader, Tilt.Administrator."
        ),
    )
    entra_groups: dict[str, Role] = Field(
        default_factory=dict, description="Tilt's role by the id of a group in Entra ID."
    )
    entra_authority: str = Field(
        default="https://login.microsoftonline.com",
        description="Where people sign in; another one for national clouds.",
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""), description="At least 32 characters; API keys are hashed with it."
    )
    encrypt: Literal["", "portfolios"] = Field(
        default="",
        description=(
            "'portfolios' encrypts saved portfolios and all that holds holdings: runs, jobs, "
            "repeated answers, reports; empty: as they are."
        ),
    )
    data_key: SecretStr = Field(
        default=SecretStr(""),
        description=(
            "Key that data is encrypted with: 32 bytes in base64, or keyring:NAME; "
            "'tilt encrypt key' makes one."
        ),
    )
    data_keys_old: tuple[SecretStr, ...] = Field(
        default=(), description="Keys of before, to read with until 'tilt encrypt rotate' is done."
    )
    audit_key: SecretStr = Field(
        default=SecretStr(""),
        description=(
            "At least 32 characters; the audit is chained with it. Empty: with TILT_SECRET_KEY."
        ),
    )
    audit_keys_old: tuple[SecretStr, ...] = Field(
        default=(), description="Keys of before, to verify the older part of the audit with."
    )
    audit_anchor: Path | None = Field(
        default=None,
        description=(
            "File to which the audit's last entry is noted, best on another machine; empty: "
            "audit.anchors in the data folder."
        ),
    )
    cluster: str = Field(
        default="local",
        description=(
            "Where jobs run: 'local' is in processes of the server; or the address of a Dask "
            "scheduler, tls://host:8786, tcp only on loopback."
        ),
    )
    cluster_ca: Path | None = Field(
        default=None, description="File with the authority (PEM) that the cluster's parts trust."
    )
    cluster_cert: Path | None = Field(
        default=None, description="File with this machine's certificate (PEM) for the cluster."
    )
    cluster_key: Path | None = Field(
        default=None, description="File with that certificate's private key (PEM)."
    )
    cache_bytes: int = Field(default=2**30, ge=2**20, description="Bound of the serving cache.")
    max_body_bytes: int = Field(default=32 * 2**20, ge=1024, description="Largest request body.")
    max_cells: int = Field(default=1_000_000, ge=1, description="Most cells in one request.")
    requests_per_minute: int = Field(
        default=1200,
        ge=0,
        description="Requests of one API key's owner in any minute; 0: as many as they come.",
    )
    redis: SecretStr = Field(
        default=SecretStr(""),
        description=(
            "Where several servers count requests together: redis://host:6379, or rediss:// "
            "encrypted; empty: each process counts for itself."
        ),
    )
    cell_seconds: float = Field(default=60.0, gt=0, description="Longest a cell may compute.")
    body_seconds: float = Field(
        default=60.0, gt=0, description="Longest a request's body may take to arrive."
    )
    max_waiting: int = Field(
        default=2000,
        ge=4,
        description=(
            "Calls of cells that may wait for a place in a process; more are told to come again."
        ),
    )
    max_jobs_waiting: int = Field(
        default=100, ge=1, description="Jobs that may wait; one user may have three quarters."
    )
    job_seconds: float = Field(default=600.0, gt=0, description="Longest a job may run.")
    job_bytes: int = Field(
        default=4 * 2**30,
        ge=0,
        description="Most memory of one job's process, on Linux; 0: as much as it takes.",
    )
    drain_seconds: float = Field(
        default=0.0,
        ge=0,
        description=(
            "How long a server that is told to end still answers, while /health/ready says no, "
            "so that a load balancer notices first."
        ),
    )
    reporting_lag: int = Field(
        default=90,
        ge=0,
        le=365,
        description=(
            "Days from a fiscal period's end to when its statement counts as known, where the "
            "source gives no filing day."
        ),
    )
    live_source: Literal["close", "yahoo"] = Field(
        default="close",
        description="Where LIVE has its prices from: 'close' is the last close, or 'yahoo'.",
    )
    live_seconds: float = Field(
        default=300.0, ge=1.0, description="How long a live price is kept before it is asked again."
    )
    merge: dict[str, MergeSettings] = Field(
        default_factory=dict, description="Sources of one universe, in tables [merge.NAME]."
    )
    bloomberg_host: str = Field(
        default="localhost", description="Where the Bloomberg Terminal or server listens."
    )
    bloomberg_port: int = Field(default=8194, ge=1, le=65535, description="Its port.")
    yahoo_url: str = Field(
        default="",
        description="Address that gets the requests to Yahoo, such as a gateway; empty: Yahoo's.",
    )
    processes: int = Field(
        default=2,
        ge=0,
        le=256,
        description="Jobs this server computes at once, each in a process of its own; 0 leaves "
        "them to other servers of the store.",
    )
    threads: int = Field(
        default=4, ge=1, le=64, description="Cells computed at once in each process."
    )
    workers: int = Field(
        default=1, ge=1, le=64, description="Processes that serve, as 'tilt serve --workers'."
    )
    xlwings_license_key: SecretStr = Field(
        default=SecretStr("noncommercial"),
        description="'noncommercial', or the key of a paid xlwings license.",
    )

    @field_validator(
        "tls_cert",
        "tls_key",
        "cluster_ca",
        "cluster_cert",
        "cluster_key",
        "audit_anchor",
        mode="before",
    )
    @classmethod
    def _blank_is_none(cls, path: object) -> object:
        return None if path == "" else path

    @field_validator("data_url")
    @classmethod
    def _folder_or_bucket(cls, url: str) -> str:
        scheme, found, rest = url.partition("://")
        if found and scheme != "s3":
            raise ValueError(f"'{scheme}://' is no store: use a folder or s3://bucket/prefix")
        if found and not rest.strip("/"):
            raise ValueError("names no bucket: use s3://bucket/prefix")
        return url

    @field_validator("redis")
    @classmethod
    def _redis_address(cls, url: SecretStr) -> SecretStr:
        scheme, _, rest = url.get_secret_value().partition("://")
        if url.get_secret_value() and not (scheme in ("redis", "rediss") and rest):
            raise ValueError("is an address such as redis://host:6379 or rediss://host:6379")
        return url

    @field_validator("secret_key", "audit_key")
    @classmethod
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        if key.get_secret_value() and len(key.get_secret_value()) < 32:
            raise ValueError("must have at least 32 characters")
        return key

    @model_validator(mode="after")
    def _fit_together(self) -> "Settings":
        if self.auth == "off" and self.host not in LOOPBACK:
            raise ValueError(
                f"TILT_HOST={self.host} is open to the network, so TILT_AUTH must be 'keys', "
                "'entra' or 'keys+entra'"
            )
        if "entra" in self.auth:
            self._check_entra()
        if self.encrypt and not self.data_key.get_secret_value():
            raise ValueError(
                "TILT_ENCRYPT=portfolios needs TILT_DATA_KEY; 'tilt encrypt key' makes one"
            )
        if self.audit_keys_old and not self.audit_secrets[0]:
            raise ValueError("TILT_AUDIT_KEYS_OLD needs TILT_AUDIT_KEY or TILT_SECRET_KEY")
        if "keys" in self.auth and not self.secret_key.get_secret_value():
            raise ValueError(f"TILT_AUTH={self.auth} needs TILT_SECRET_KEY, at least 32 characters")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("TILT_TLS_CERT and TILT_TLS_KEY are set together or not at all")
        if self.cluster != "local":
            self._check_cluster()
        return self

    def _check_entra(self) -> None:
        """Refuse to trust tokens of any tenant or application, or by keys sent in the clear."""
        for name, given in (("TENANT", self.entra_tenant), ("CLIENT", self.entra_client)):
            if not GUID.fullmatch(given.lower()):
                raise ValueError(
                    f"TILT_AUTH={self.auth} needs TILT_ENTRA_{name}, an id such as "
                    "11111111-2222-3333-4444-555555555555"
                )
        scheme, _, rest = self.entra_authority.partition("://")
        host = urlsplit(self.entra_authority).hostname or ""
        if scheme != "https" and not (scheme == "http" and host in LOOPBACK):
            raise ValueError("TILT_ENTRA_AUTHORITY is an https:// address")
        if not rest or any(c in rest for c in "?#@ "):
            raise ValueError("TILT_ENTRA_AUTHORITY is an address without query or user")

    def _check_cluster(self) -> None:
        """Refuse a cluster that takes orders, which are code, from anybody in the network."""
        scheme, _, rest = self.cluster.partition("://")
        host = rest.rpartition(":")[0].strip("[]")
        if scheme not in ("tcp", "tls") or not host:
            raise ValueError(
                f"TILT_CLUSTER={self.cluster} is neither 'local' nor an address such as "
                "tls://host:8786"
            )
        if scheme == "tcp" and host not in LOOPBACK:
            raise ValueError(
                f"TILT_CLUSTER={self.cluster} is not encrypted: use tls:// with TILT_CLUSTER_CA, "
                "TILT_CLUSTER_CERT and TILT_CLUSTER_KEY"
            )
        files = (self.cluster_ca, self.cluster_cert, self.cluster_key)
        if scheme == "tls" and None in files:
            raise ValueError(
                "a tls:// cluster needs TILT_CLUSTER_CA, TILT_CLUSTER_CERT and TILT_CLUSTER_KEY"
            )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def bucket(self) -> str:
        """``bucket/prefix`` of a store in a bucket; empty for one in a folder."""
        scheme, found, rest = self.data_url.partition("://")
        return rest.strip("/") if found and scheme == "s3" else ""

    @property
    def data_path(self) -> Path:
        """The store's folder; for a store in a bucket, the local folder for all else."""
        if self.bucket:
            return Path(self.work_folder or user_data_path("tilt")).expanduser().absolute()
        return Path(self.data_url).expanduser().absolute()

    @property
    def anchor_file(self) -> Path:
        """Where the audit's last entry is noted."""
        return self.audit_anchor or self.data_path / "audit.anchors"

    @property
    def audit_secrets(self) -> tuple[str, ...]:
        """Keys of the audit, that of new entries first; an empty one is none."""
        first = self.audit_key.get_secret_value() or self.secret_key.get_secret_value()
        return (first, *(key.get_secret_value() for key in self.audit_keys_old))

    @property
    def scheme(self) -> str:
        return "http" if self.tls_cert is None else "https"

    @property
    def catalog_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_path / 'catalog.sqlite'}"


def read_settings() -> Settings:
    """Return the settings of the environment.

    Raises
    ------
    ArgumentError
        If one is wrong: nothing starts with settings it does not understand.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(p) for p in e['loc']) or 'settings'}: {e['msg']}"
            for e in error.errors(include_input=False)
        )
        raise ArgumentError(f"Settings are wrong: {problems}.") from None
    except SettingsError as error:  # a list or table of the environment that is no JSON
        named = re.search(r'field "(\w+)"', str(error))
        raise ArgumentError(
            f"Settings are wrong: TILT_{named[1].upper() if named else ''} is not written as lists "
            'are, ["one", "two"], or as tables are, {"name": "value"}.'
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ArgumentError(f"Settings are wrong: tilt.toml is no TOML ({error}).") from None
    except OSError as error:
        raise ArgumentError(f"tilt.toml cannot be read ({error.strerror}). Check it.") from None


@cache
def addin_path() -> Path:
    """Return the folder of the add-in: beside the package when installed, else the checkout's."""
    installed = Path(__file__).parent / "_addin"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "addin"
