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


class SettingsError(Exception):
    """The environment does not make settings; says which variable and what is expected."""


def _sqlite_file(url: str) -> str:
    if not url.startswith(_SQLITE) or url == _SQLITE or url.removeprefix(_SQLITE).startswith((":memory:", "file:")):
        raise ValueError("expected `sqlite:///` and the path of a file, such as sqlite:///wanliu.db")
    return url


class Settings(BaseSettings):
    """How the service runs. Frozen; made once, by whoever starts it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True, env_ignore_empty=True)

    host: Annotated[str, Field(description="Address to listen on. In development mode a loopback address only.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")] = 8000
    database_url: Annotated[
        str, AfterValidator(_sqlite_file), Field(description="The store: a SQLite file. Made, and brought up to date, at start.")
    ] = "sqlite:///wanliu.db"
    pack: Annotated[Path, Field(description="Folder that holds `rules/` and `policies/`; followed while the service runs.")] = Path()
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
    def database_file(self) -> Path:
        """The SQLite file, as the URL names it."""
        return Path(self.database_url.removeprefix(_SQLITE))

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
