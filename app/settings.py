"""Settings, from environment variables under `WANLIU_`. `docs/settings.md` tells of each."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.engine.problems import nearest

PREFIX = "WANLIU_"
_SQLITE = "sqlite:///"
_POSTGRESQL = "postgresql://"
_KEYS = "wanliu.keys"


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


class Settings(BaseSettings):
    """How the service runs. Frozen; made once, by whoever starts it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True, env_ignore_empty=True)

    host: Annotated[str, Field(description="Address to listen on. In development mode a loopback address only.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")] = 8000
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
    on_store_failure: Annotated[
        Literal["reject", "spool"],
        Field(description="While the store is down: refuse (503), or keep entries in a folder until it is back."),
    ] = "reject"
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
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="What is logged: this and what is graver.")] = (
        "info"
    )
    log_format: Annotated[Literal["console", "json"], Field(description="Lines for a person, or one JSON object a line.")] = "console"

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
    def on_loopback(self) -> bool:
        """Does `host` reach this machine only."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def read_settings(environment: Iterable[str] = ()) -> Settings:
    """The settings of this process.

    Args:
        environment: names of the variables that are set; one under `WANLIU_` that means nothing is refused, for it was meant to.

    Raises:
        SettingsError: naming each variable that is not what it should be.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    wrong = [
        f"{name} is not a setting{_hint(name, known)}" for name in sorted(environment) if name.startswith(PREFIX) and name not in known
    ]
    try:
        settings = Settings()
    except ValidationError as error:
        wrong += [f"{PREFIX}{str(item['loc'][0]).upper()}: {item['msg'].removeprefix('Value error, ')}" for item in error.errors()]
        raise SettingsError("\n".join(wrong)) from None
    if wrong:
        raise SettingsError("\n".join(wrong))
    return settings


def _hint(name: str, known: set[str]) -> str:
    hint = nearest(name, known)
    return f"; {hint}" if hint else ""
