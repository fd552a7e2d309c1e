"""Settings, from environment variables under `WANLIU_`. `docs/settings.md` tells of each."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.contradictions import contradictions
from app.engine.problems import nearest

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

PREFIX = "WANLIU_"
CALLERS_KEY = "WANLIU_API_KEY"
"""No setting: what `wanliu decide --url` calls a service with."""
_SQLITE = "sqlite:///"
_POSTGRESQL = "postgresql://"
_KEYS = "wanliu.keys"
_CHUNKS = "wanliu.chunks"
_CAMPAIGNS = "wanliu.campaigns"
_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?", re.ASCII)
ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""What tokens may be signed with: with a private key that this service never sees. Neither `none` nor a shared secret is among them."""


class SettingsError(Exception):
    """The environment does not make settings; says which variable and what is expected."""


def _database(url: str) -> str:
    if url.startswith(_POSTGRESQL) and url != _POSTGRESQL:
        return url
    if not url.startswith(_SQLITE) or url == _SQLITE or url.removeprefix(_SQLITE).startswith((":memory:", "file:")):
        raise ValueError(
            "expected `sqlite:///` and the path of a file, such as sqlite:///wanliu.db, or `postgresql://`, such as"
            " postgresql://wanliu@localhost/wanliu"
        )
    return url


def _http_url(url: str | None) -> str | None:
    if url is not None and not url.startswith(("http://", "https://")):
        raise ValueError("expected http:// or https:// and a host, such as https://witness.example")
    return url


def is_this_machine(host: str) -> bool:
    """Does a host's name or address lead to this machine only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _key_place(place: str | None) -> str | None:
    """A file, or a URL from which nobody on the way can pass other keys off as the issuer's."""
    if place is None or "://" not in place:
        return place
    parts = urlsplit(place)
    if parts.username is not None or parts.password is not None:
        raise ValueError("expected a URL without name and password")
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(parts.hostname))):
        raise ValueError("expected a file, or an https:// URL; http:// goes on this machine only, for a trial")
    return place


def _listed(given: object) -> object:
    return tuple(part.strip() for part in given.split(",")) if isinstance(given, str) else given


def _asymmetric(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in ASYMMETRIC:
            hint = nearest(name, ASYMMETRIC)
            raise ValueError(f"expected some of {', '.join(ASYMMETRIC)}, separated by commas{f'; {hint}' if hint else ''}")
    return names


def _origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                "expected origins as browsers send them, separated by commas: scheme, host in small letters, a port where it is not the"
                " usual one, nothing behind, such as https://desk.example; `*` would let every page call with its reader's key"
            )
    return origins


def _proxies(addresses: tuple[str, ...]) -> tuple[str, ...]:
    for address in addresses:
        try:
            ipaddress.ip_network(address)
        except ValueError:
            raise ValueError(
                "expected addresses or networks of proxies, separated by commas, such as 127.0.0.1 or 203.0.113.0/24"
            ) from None
    return addresses


class Settings(BaseSettings):
    """How the service runs. Frozen; made once, by whoever starts it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True, env_ignore_empty=True)

    host: Annotated[str, Field(description="Address to listen on. In development mode a loopback address only.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")] = 8000
    workers: Annotated[int, Field(ge=1, le=256, description="Processes that answer. One is right for SQLite.")] = 1
    recycle_after: Annotated[
        int, Field(ge=0, le=1_000_000_000, description="Requests, give or take a tenth, after which a worker is replaced; 0 never.")
    ] = 0
    grace_seconds: Annotated[float, Field(ge=0, le=3_600, description="How long a service that is told to stop finishes what it has.")] = (
        10.0
    )
    hang_seconds: Annotated[float, Field(ge=3, le=3_600, description="A worker that says nothing for so long is killed and replaced.")] = (
        20.0
    )
    concurrency: Annotated[
        int, Field(ge=1, le=1_000, description="Requests that a worker works at at once; others wait for their turn.")
    ] = 16
    queue_ms: Annotated[
        int, Field(ge=1, le=60_000, description="How long a request may have to wait for its turn in a burst; else 503.")
    ] = 50
    rate: Annotated[float, Field(ge=0, le=1_000_000, description="Requests a second of one caller, of each worker; 0: any number.")] = 0.0
    body_seconds: Annotated[
        float, Field(ge=1, le=3_600, description="How long a body may take to arrive, and an answer to be read on.")
    ] = 30.0
    head_seconds: Annotated[float, Field(ge=1, le=3_600, description="How long the head of a request may take to arrive.")] = 10.0
    idle_seconds: Annotated[int, Field(ge=1, le=3_600, description="How long a connection is kept on which nothing is asked.")] = 65
    connections: Annotated[int, Field(ge=10, le=100_000, description="Connections that a worker keeps open.")] = 2_000
    public_url: Annotated[
        str | None,
        AfterValidator(_http_url),
        Field(description="What callers reach the service as, such as https://nba.example, where a proxy stands before it."),
    ] = None
    forwarded_from: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(_listed),
        AfterValidator(_proxies),
        Field(description="Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. Left out, nobody's."),
    ] = ()
    cors_origins: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(_listed),
        AfterValidator(_origins),
        Field(description="Origins whose pages may call from a browser, such as https://desk.example. Left out, none."),
    ] = ()
    database_url: Annotated[
        str,
        AfterValidator(_database),
        Field(description="The store: a SQLite file, or a PostgreSQL database. Brought up to date at start.", repr=False),
    ] = "sqlite:///wanliu.db"
    key_file: Annotated[
        Path | None, Field(description="File with the record's keys, made at the first start. Left out, `wanliu.keys` beside the store.")
    ] = None
    keys: Annotated[
        str | None, Field(description="The text of a keys file, where the keys come from the environment instead.", repr=False)
    ] = None
    pack: Annotated[
        Path, Field(description="Folder with `rules/` and `policies/`: seeds an empty store; followed in development mode.")
    ] = Path()
    pattern_engine: Annotated[
        Literal["durable", "builtin"] | None,
        Field(description="Which matcher joins events. Left out, durable_rules where it imports (Python up to 3.12), else our own."),
    ] = None
    cache_dir: Annotated[
        Path, Field(description="Folder that remembers which packs' patterns were tried, so that a start need not try them again.")
    ] = Path("~/.cache/wanliu")
    store_deadline_ms: Annotated[
        int, Field(ge=1, le=60_000, description="How long an answer waits for its record before it is an error (503 with Retry-After).")
    ] = 150
    read_deadline_ms: Annotated[
        int, Field(ge=1, le=600_000, description="How long a read of the record may take before it is an error (503 with Retry-After).")
    ] = 5_000
    seal_lag_seconds: Annotated[
        float, Field(ge=2, le=86_400, description="How long the oldest entry may wait for its leaf before `/readyz` says `degraded`.")
    ] = 60.0
    on_store_failure: Annotated[
        Literal["reject", "spool"],
        Field(description="While the store is down: refuse (503), or keep entries in a folder until it is back."),
    ] = "reject"
    chunk_dir: Annotated[
        Path | None,
        Field(description="Folder for the decisions of campaigns. Left out, `wanliu.chunks` beside the SQLite file, or here."),
    ] = None
    campaign_dir: Annotated[
        Path | None,
        Field(
            description="Folder with the files of campaigns that callers commission, and `out` in it with what came of them. Left out,"
            " `wanliu.campaigns` beside the SQLite file, or here."
        ),
    ] = None
    campaign_worker: Annotated[
        bool, Field(description="Does the service run these campaigns itself, or is `wanliu campaign work` started elsewhere.")
    ] = True
    campaign_keep_days: Annotated[
        int, Field(ge=0, le=36_500, description="Days after which the files of these campaigns are taken away, but for reports; 0 never.")
    ] = 30
    spool_dir: Annotated[Path, Field(description="The folder for that, on a disk of its own if possible.")] = Path("wanliu.spool")
    spool_mb: Annotated[int, Field(ge=1, le=1_000_000, description="What the folder may hold; beyond it entries are refused.")] = 256
    witness_url: Annotated[
        str | None,
        AfterValidator(_http_url),
        Field(description="Witness that is told of every checkpoint, such as https://witness.example."),
    ] = None
    witness_key: Annotated[
        str | None, Field(description="Verifier key of the witness, as it prints it; what it answers is checked with it.")
    ] = None
    callbacks_private: Annotated[
        bool, Field(description="May events be sent into private networks, and by plain http: for receivers beside the service.")
    ] = False
    jwt_issuer: Annotated[
        str | None, Field(max_length=500, description="Issuer of the tokens that callers may send, as their `iss` has it.")
    ] = None
    jwt_audience: Annotated[str | None, Field(max_length=500, description="What this service is called in their `aud`.")] = None
    jwt_algorithms: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(_listed),
        AfterValidator(_asymmetric),
        Field(description="What they may be signed with, such as `RS256,ES256`; asymmetric ones only."),
    ] = ("RS256",)
    jwt_keys: Annotated[
        str | None,
        AfterValidator(_key_place),
        Field(description="The public keys of the issuer: a JWKS file, or an https:// URL that is asked again and again."),
    ] = None
    jwt_role_claim: Annotated[str, Field(min_length=1, max_length=200, description="Claim that has the caller's role.")] = "role"
    jwt_grade_claim: Annotated[str, Field(min_length=1, max_length=200, description="Claim that has an agent's grade.")] = "grade"
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="What is logged: this and what is graver.")] = (
        "info"
    )
    log_format: Annotated[
        Literal["auto", "json", "console"],
        Field(description="One JSON object a line, or lines for a person; `auto`: the second on a terminal, else the first."),
    ] = "auto"

    @property
    def cache_folder(self) -> Path | None:
        """`cache_dir` with the home folder put in; none for a user without one."""
        try:
            return self.cache_dir.expanduser()
        except RuntimeError:
            return None

    @property
    def database_file(self) -> Path | None:
        """The SQLite file, as the URL names it; none for PostgreSQL."""
        return Path(self.database_url.removeprefix(_SQLITE)) if self.database_url.startswith(_SQLITE) else None

    @property
    def keys_file(self) -> Path:
        """`key_file`, or where it is when left out: beside the SQLite file, or in the current folder."""
        return self.key_file or (self.database_file.parent if self.database_file else Path()) / _KEYS

    @property
    def chunk_folder(self) -> Path:
        """`chunk_dir`, or where it is when left out: beside the SQLite file, or in the current folder."""
        return self.chunk_dir or (self.database_file.parent if self.database_file else Path()) / _CHUNKS

    @property
    def campaign_folder(self) -> Path:
        """`campaign_dir`, or where it is when left out: beside the SQLite file, or in the current folder."""
        return self.campaign_dir or (self.database_file.parent if self.database_file else Path()) / _CAMPAIGNS

    @property
    def on_loopback(self) -> bool:
        """Does `host` reach this machine only."""
        return is_this_machine(self.host)


def read_settings(environment: Iterable[str] = ()) -> Settings:
    """The settings of this process.

    Args:
        environment: names of the variables that are set; one under `WANLIU_` that means nothing is refused, for it was meant to.

    Raises:
        SettingsError: naming each variable that is not what it should be.
    """
    known = {CALLERS_KEY, *(PREFIX + name.upper() for name in Settings.model_fields)}
    wrong = [
        f"{name} is not a setting{_hint(name, known)}" for name in sorted(environment) if name.startswith(PREFIX) and name not in known
    ]
    try:
        settings = Settings()
    except ValidationError as error:
        wrong += [f"{PREFIX}{str(item['loc'][0]).upper()}: {_told(item)}" for item in error.errors()]
        raise SettingsError("\n".join(wrong)) from None
    wrong += contradictions(settings)
    if wrong:
        raise SettingsError("\n".join(wrong))
    return settings


def _told(detail: ErrorDetails) -> str:
    """What is expected of a setting, in the words of this service."""
    kind = detail["type"]
    if kind == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    field = Settings.model_fields[str(detail["loc"][0])]
    if field.annotation in (int, float) and isinstance(field.default, int | float):
        bounds = {name: limit for part in field.metadata for name in ("ge", "le") if (limit := getattr(part, name, None)) is not None}
        number = "a whole number" if field.annotation is int else "a number"
        return f"expected {number} from {bounds['ge']:,g} to {bounds['le']:,.15g}, such as {field.default:g}"
    if kind == "string_too_long":
        return f"expected at most {detail['ctx']['max_length']} characters"
    from app.engine.intake.wording import told

    return told({**detail, "type": "bool_type"} if kind == "bool_parsing" else detail)


def _hint(name: str, known: set[str]) -> str:
    hint = nearest(name, known)
    return f"; {hint}" if hint else ""
