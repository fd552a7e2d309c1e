"""Settings from the environment, and that each is documented."""

import re
from pathlib import Path

import pytest

from app.settings import PREFIX, Settings, SettingsError, read_settings
from tests.docs.pages import ROOT, sections

pytestmark = pytest.mark.unit

PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


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


def test_settings_stand_under_their_headings() -> None:
    """What is about tokens is told with tokens, what is about logs with logs."""
    found = {
        heading: set(re.findall(r"^\| `WANLIU_(\w+?)_", text, re.MULTILINE))
        for heading, text in sections(ROOT / "docs" / "settings.md").items()
    }
    assert [heading for heading, first in found.items() if "JWT" in first] == ["Tokens of an identity provider"]
    assert (found["Tokens of an identity provider"], found["Logs"]) == ({"JWT"}, {"LOG"})


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
        ("PORT", "http", "WANLIU_PORT: expected a whole number from 0 to 65,535, such as 8000"),
        ("PORT", "70000", "WANLIU_PORT: expected a whole number from 0 to 65,535, such as 8000"),
        ("RECYCLE_AFTER", "-1", "WANLIU_RECYCLE_AFTER: expected a whole number from 0 to 1,000,000,000, such as 0"),
        ("QUEUE_MS", "5.5", "WANLIU_QUEUE_MS: expected a whole number from 1 to 60,000, such as 50"),
        ("GRACE_SECONDS", "nan", "WANLIU_GRACE_SECONDS: expected a number from 0 to 3,600, such as 10"),
        ("CALLBACKS_PRIVATE", "perhaps", "WANLIU_CALLBACKS_PRIVATE: expected true or false"),
        ("JWT_ISSUER", "x" * 501, "WANLIU_JWT_ISSUER: expected at most 500 characters"),
        ("JWT_ROLE_CLAIM", "x" * 201, "WANLIU_JWT_ROLE_CLAIM: expected at most 200 characters"),
        ("DATABASE_URL", "mysql://localhost/w", "WANLIU_DATABASE_URL: expected `sqlite:///`"),
        ("DATABASE_URL", "postgresql://", "WANLIU_DATABASE_URL: expected `sqlite:///`"),
        ("ON_STORE_FAILURE", "drop", "WANLIU_ON_STORE_FAILURE: expected one of reject, spool"),
        ("DATABASE_URL", "sqlite://", "WANLIU_DATABASE_URL: expected `sqlite:///`"),
        ("DATABASE_URL", "sqlite:///:memory:", "WANLIU_DATABASE_URL: expected `sqlite:///`"),
        ("PATTERN_ENGINE", "drools", "WANLIU_PATTERN_ENGINE: expected one of durable, builtin"),
        ("LOG_LEVEL", "loud", "WANLIU_LOG_LEVEL: expected one of debug, info, warning, error"),
        ("LOG_LEVEL", "wraning", "WANLIU_LOG_LEVEL: expected one of debug, info, warning, error; did you mean `warning`?"),
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


TOKENS = {"WANLIU_JWT_ISSUER": "https://id.example", "WANLIU_JWT_AUDIENCE": "wanliu", "WANLIU_JWT_KEYS": "https://id.example/keys"}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"WANLIU_JWT_ISSUER": ""}, "WANLIU_JWT_ISSUER: is needed where WANLIU_JWT_AUDIENCE is set"),
        ({"WANLIU_JWT_AUDIENCE": ""}, "WANLIU_JWT_AUDIENCE: is needed where WANLIU_JWT_ISSUER is set"),
        ({"WANLIU_JWT_KEYS": ""}, "WANLIU_JWT_KEYS: is needed where WANLIU_JWT_ISSUER is set"),
        (dict.fromkeys(TOKENS, "") | {"WANLIU_JWT_ROLE_CLAIM": "r"}, "WANLIU_JWT_ISSUER: is needed where WANLIU_JWT_ROLE_CLAIM is set"),
        (dict.fromkeys(TOKENS, "") | {"WANLIU_JWT_ALGORITHMS": "ES256"}, "WANLIU_JWT_ISSUER: is needed where WANLIU_JWT_ALGORITHMS is set"),
        ({"WANLIU_JWT_GRADE_CLAIM": "role"}, "WANLIU_JWT_GRADE_CLAIM: is the claim that WANLIU_JWT_ROLE_CLAIM names"),
        ({"WANLIU_JWT_ALGORITHMS": "HS256"}, "WANLIU_JWT_ALGORITHMS: expected some of RS256"),
        ({"WANLIU_JWT_ALGORITHMS": "none"}, "WANLIU_JWT_ALGORITHMS: expected some of RS256"),
        ({"WANLIU_JWT_ALGORITHMS": "RS256,"}, "WANLIU_JWT_ALGORITHMS: expected some of RS256"),
        ({"WANLIU_JWT_ALGORITHMS": "ES265"}, "did you mean `ES256`"),
        ({"WANLIU_JWT_KEYS": "http://id.example/keys"}, "WANLIU_JWT_KEYS: expected a file, or an https:// URL"),
        ({"WANLIU_JWT_KEYS": "ftp://id.example/keys"}, "WANLIU_JWT_KEYS: expected a file, or an https:// URL"),
        ({"WANLIU_JWT_KEYS": "https:///keys"}, "WANLIU_JWT_KEYS: expected a file, or an https:// URL"),
        ({"WANLIU_JWT_KEYS": "http://127.0.0.1@id.example/keys"}, "WANLIU_JWT_KEYS: expected a URL without name"),
        ({"WANLIU_JWT_KEYS": "https://user:secret@id.example/keys"}, "WANLIU_JWT_KEYS: expected a URL without name"),
    ],
    ids=str,
)
def test_tokens_are_taken_wholly_or_not_at_all(monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], says: str) -> None:
    """Half of the settings, contradictory ones, shared secrets and keys that somebody on the way could change are refused at start."""
    for name, value in {**TOKENS, **changed}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        read_settings()
    assert says in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "keys", ["https://id.example/keys", "http://127.0.0.1:8080/keys", "http://[::1]/keys", "http://localhost/k", "keys.json"]
)
def test_keys_for_tokens_come_from_a_file_or_a_url(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    """By https, or from this machine; what is listed with commas may have spaces."""
    for name, value in {**TOKENS, "WANLIU_JWT_KEYS": keys, "WANLIU_JWT_ALGORITHMS": "RS256, ES256"}.items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert (settings.jwt_keys, settings.jwt_algorithms) == (keys, ("RS256", "ES256"))
    assert Settings(**settings.model_dump()) == settings
