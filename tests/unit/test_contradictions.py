"""Settings that do not go together are refused, all of them at once, each with its variable and what to do."""

import pytest

from app.settings import PREFIX, Settings, SettingsError, read_settings

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


def told(monkeypatch: pytest.MonkeyPatch, **given: str) -> list[str]:
    for name, value in given.items():
        monkeypatch.setenv(PREFIX + name, value)
    try:
        read_settings()
    except SettingsError as error:
        return str(error).splitlines()
    return []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"SPOOL_MB": "8"}, "WANLIU_SPOOL_MB: does nothing without WANLIU_ON_STORE_FAILURE=spool"),
        ({"SPOOL_DIR": "elsewhere"}, "WANLIU_SPOOL_DIR: does nothing without WANLIU_ON_STORE_FAILURE=spool"),
        ({"WITNESS_URL": "https://witness.example"}, "WANLIU_WITNESS_KEY: needed with WANLIU_WITNESS_URL"),
        ({"KEYS": "text", "KEY_FILE": "file"}, "WANLIU_KEY_FILE: is not read where WANLIU_KEYS is set"),
        ({"JWT_ISSUER": "https://id.example"}, "WANLIU_JWT_AUDIENCE: is needed where WANLIU_JWT_ISSUER is set"),
    ],
)
def test_what_does_nothing_alone_is_refused(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], says: str) -> None:
    """The message names the variable, the one that it wants beside it, and what to do."""
    (message,) = told(monkeypatch, **given)
    assert message.startswith(says)
    assert message != says


def test_all_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody mends one to be told of the next."""
    assert len(told(monkeypatch, SPOOL_MB="8", WITNESS_URL="https://witness.example", KEYS="text", KEY_FILE="file")) == 3


@pytest.mark.parametrize(
    "given",
    [
        {"ON_STORE_FAILURE": "spool", "SPOOL_MB": "8", "SPOOL_DIR": "elsewhere"},
        {"WITNESS_URL": "https://witness.example", "WITNESS_KEY": "w+1+a"},
        {"WORKERS": "4", "RECYCLE_AFTER": "100000"},
        {"SPOOL_MB": "256"},
    ],
)
def test_what_goes_together_is_taken(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    """Nor is a variable refused that says what would be so anyway."""
    assert told(monkeypatch, **given) == []


@pytest.mark.parametrize(
    "origins",
    ["*", "https://desk.example/", "https://Desk.example", "shop.example", "null", "https://a.example,", "https://a.example:0", "ftp://a"],
)
def test_an_origin_is_what_browsers_send(monkeypatch: pytest.MonkeyPatch, origins: str) -> None:
    """One that would never match is refused, and so is every origin there is."""
    (message,) = told(monkeypatch, CORS_ORIGINS=origins)
    assert message.startswith("WANLIU_CORS_ORIGINS: expected origins as browsers send them")
    assert origins not in message.replace("`*`", "")


def test_several_origins(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are separated by commas."""
    assert told(monkeypatch, CORS_ORIGINS="https://desk.example, http://localhost:3000,https://[::1]:8443") == []
    assert read_settings().cors_origins == ("https://desk.example", "http://localhost:3000", "https://[::1]:8443")


@pytest.mark.parametrize("proxies", ["*", "proxy.example", "10.0.0.0/33", "10.0.0.1/8", "127.0.0.1,"])
def test_a_proxy_is_an_address_or_a_network(monkeypatch: pytest.MonkeyPatch, proxies: str) -> None:
    """Everybody's word for where a request comes from is not believed, and no name is looked up."""
    (message,) = told(monkeypatch, FORWARDED_FROM=proxies)
    assert message.startswith("WANLIU_FORWARDED_FROM: expected addresses or networks of proxies")


def test_workers_read_the_settings_again() -> None:
    """What the keeper hands to a worker makes the same settings."""
    settings = Settings(cors_origins=("https://desk.example",), forwarded_from=("10.0.0.0/8",), spool_mb=8)
    assert Settings(**settings.model_dump(mode="json")) == settings
