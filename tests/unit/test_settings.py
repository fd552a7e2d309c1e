"""Settings from the environment, and that each is documented."""

import re
from pathlib import Path

import pytest

from app.settings import PREFIX, Settings, SettingsError, read_settings

pytestmark = pytest.mark.unit

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


def written(value: object) -> str:
    """A default as the environment would have it."""
    return "" if value is None else ",".join(value) if isinstance(value, tuple) else str(value)


def test_defaults() -> None:
    """Without an environment the service listens on loopback, on the pack and a store of the working directory."""
    settings = Settings()
    assert (settings.host, settings.port, settings.pack, settings.database_file) == ("127.0.0.1", 8000, Path(), Path("wanliu.db"))
    assert (settings.pattern_engine, settings.log_level, settings.log_format) == (None, "info", "auto")


def test_every_setting_is_documented() -> None:
    """docs/settings.md lists exactly the settings there are, with their defaults."""
    rows = dict(re.findall(r"^\| `(WANLIU_\w+)` \| (?:`([^`]*)`)? ?\|", PAGE, re.MULTILINE))
    defaults = {PREFIX + name.upper(): field.default for name, field in Settings.model_fields.items()}
    assert rows == {name: written(value) for name, value in defaults.items()}


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable under the prefix sets its setting; an empty one does not."""
    monkeypatch.setenv("WANLIU_PORT", "9000")
    monkeypatch.setenv("WANLIU_DATABASE_URL", "sqlite:////var/lib/wanliu/w.db")
    monkeypatch.setenv("WANLIU_PATTERN_ENGINE", "")
    settings = read_settings()
    assert (settings.port, settings.database_file, settings.pattern_engine) == (9000, Path("/var/lib/wanliu/w.db"), None)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PORT", "http", "WANLIU_PORT: "),
        ("PORT", "70000", "WANLIU_PORT: "),
        ("DATABASE_URL", "mysql://localhost/w", "WANLIU_DATABASE_URL: expected `sqlite:///`"),
        ("DATABASE_URL", "postgresql://", "WANLIU_DATABASE_URL: expected `sqlite:///`"),
        ("ON_STORE_FAILURE", "drop", "WANLIU_ON_STORE_FAILURE: "),
        ("DATABASE_URL", "sqlite://", "WANLIU_DATABASE_URL: expected `sqlite:///`"),
        ("DATABASE_URL", "sqlite:///:memory:", "WANLIU_DATABASE_URL: expected `sqlite:///`"),
        ("PATTERN_ENGINE", "drools", "WANLIU_PATTERN_ENGINE: "),
        ("LOG_LEVEL", "loud", "WANLIU_LOG_LEVEL: "),
    ],
)
def test_a_wrong_value_is_told(monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str) -> None:
    """The error names the variable, and does not repeat the value."""
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(SettingsError) as error:
        read_settings()
    assert str(error.value).startswith(says)
    assert value not in re.sub(r"`?(sqlite|postgresql)://", "", str(error.value))


def test_the_keys_are_beside_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left out, the keys file is in the folder of the SQLite file; with PostgreSQL, in the current one."""
    assert Settings(database_url="sqlite:////var/lib/wanliu/w.db").keys_file == Path("/var/lib/wanliu/wanliu.keys")
    postgresql = Settings(database_url="postgresql://wanliu:secret@db/wanliu")
    assert (postgresql.keys_file, postgresql.database_file) == (Path("wanliu.keys"), None)
    assert Settings(key_file=Path("/run/secrets/k")).keys_file == Path("/run/secrets/k")


def test_secrets_are_not_shown() -> None:
    """What prints the settings shows neither the keys nor the password in the database's URL."""
    shown = repr(Settings(database_url="postgresql://wanliu:secret@db/wanliu", keys="also secret"))
    assert "secret" not in shown


def test_a_misspelt_variable_is_told() -> None:
    """A variable that means nothing is refused with the nearest right name; those of others are left alone."""
    with pytest.raises(SettingsError, match="WANLIU_PROT is not a setting; did you mean `WANLIU_PORT`"):
        read_settings(["WANLIU_PROT", "PATH"])


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - this is the one refused
        ("::", False),
        ("10.0.0.1", False),
        ("wanliu.example", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    """Only addresses that stay on this machine count."""
    assert Settings(host=host).on_loopback is loopback
