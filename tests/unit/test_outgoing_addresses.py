"""Where events may be sent: into the open network, and nowhere else unless that is allowed."""

import asyncio
import ipaddress
import socket
from typing import Any

import httpx
import pytest

from app.record.outgoing.addresses import BadCallback, addresses_of, checked_callback, host_of, is_open, parsed
from app.record.outgoing.sending import Sender
from tests.receiving import receiving

pytestmark = pytest.mark.unit

CLOSED = [
    *(
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
    ),
    *("169.254.169.254", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1"),
    *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::1", "2002:808:808::1", "2001::1", "2001:db8::1", "fc00::1", "fd00:ec2::254"),
    *("fe80::1", "fec0::1", "ff02::1", "100::1", "3fff::1", "5f00::1"),
]
OPEN = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2a00:1450::1"]


@pytest.mark.parametrize("address", CLOSED)
def test_closed_addresses(address: str) -> None:
    """Private, loopback, link-local, metadata, multicast and reserved addresses are closed, in every disguise of IPv6."""
    assert not is_open(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OPEN)
def test_open_addresses(address: str) -> None:
    """Addresses of the open network are open, also through NAT64 or mapped into IPv6."""
    assert is_open(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("callback", "why"),
    [
        ("", "expected a URL of at most"),
        ("https://crm.example/\u4e8b\u4ef6", "plain ASCII"),
        ("https://\u6d4b\u8bd5.example/", "plain ASCII"),
        ("https://crm.example/a b", "plain ASCII"),
        ("https://crm.example/\r\nhost: evil", "plain ASCII"),
        ("https://crm.example\\@evil.example/", "plain ASCII"),
        ("https://" + "a" * 2_001, "plain ASCII"),
        ("http://crm.example/", "expected https://"),
        ("ftp://crm.example/", "expected a URL such as"),
        ("file:///etc/passwd", "expected a URL such as"),
        ("javascript:alert(1)", "expected a URL such as"),
        ("crm.example/events", "expected a URL such as"),
        ("https://", "expected a URL such as"),
        ("https:///events", "expected a URL such as"),
        ("https://user:secret@crm.example/", "name or password"),
        ("https://user@crm.example/", "name or password"),
        ("https://crm.example/#part", "has a `#`"),
        ("https://crm.example:0/", "has a port that there is not"),
        ("https://crm.example:65536/", "port"),
        ("https://crm.example:x/", "expected a URL such as"),
        ("https://" + ".".join(["a" * 60] * 5) + "/", "has a host that is none"),
        ("https://.crm.example/", "host"),
        ("https://crm..example/", "host"),
        ("https://-crm.example/", "host"),
        ("https://[::1%25eth0]/", "host"),
        ("https://[::1/", "expected a URL such as"),
    ],
)
def test_no_callbacks(callback: str, why: str) -> None:
    """What is no URL that an event may be sent to is refused with the reason, and not repeated."""
    with pytest.raises(BadCallback) as refused:
        parsed(callback, private=False)
    assert why in str(refused.value) or "expected a URL" in str(refused.value)
    assert "evil" not in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "callback", ["https://crm.example/a?b=c", "https://CRM.example:8443", "https://xn--0zwm56d.example/", "https://8.8.8.8/"]
)
def test_callbacks(callback: str) -> None:
    """Names, ports, paths and addresses of the open network are let pass as text."""
    assert parsed(callback, private=False).scheme == "https"


@pytest.mark.parametrize(
    "callback",
    [
        *("https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://0/"),
        *("https://localhost/", "https://LOCALHOST./", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/latest/"),
        *("https://10.0.0.8/", "https://[fd00::1]/", "https://no-such-host.invalid/"),
    ],
)
def test_registration_refuses_closed_networks(callback: str) -> None:
    """A callback into a closed network, however it is spelt, is refused when it is given."""
    with pytest.raises(BadCallback):
        asyncio.run(checked_callback(callback, private=False))


@pytest.mark.parametrize("callback", ["http://127.0.0.1:8000/", "http://crm.internal/", "https://localhost/"])
def test_allowed_networks(callback: str) -> None:
    """Where networks of one's own are allowed, so is plain http, and names that are known there only."""
    asyncio.run(checked_callback(callback, private=True))


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let names resolve to these addresses, one answer after the other, the last one for ever; the names that were asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def answer(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host == "crm.example":
            asked.append(host)
            return [item for address in answers[min(len(asked), len(answers)) - 1] for item in real(address, port, *args, **options)]
        return real(host, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "169.254.169.254"])
def test_names_that_lead_into_closed_networks(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """A name is judged by every address behind it: one that is closed is enough to refuse it."""
    resolving(monkeypatch, ["8.8.8.8", address])
    with pytest.raises(BadCallback, match="not open to everybody"):
        asyncio.run(addresses_of(httpx.URL("https://crm.example/"), private=False))


def test_a_name_that_changes_its_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that led into the open network when it was registered and leads home when an event is sent gets nothing."""
    resolving(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    asyncio.run(checked_callback("https://crm.example/", private=False))
    reply = asyncio.run(_sent("https://crm.example/", private=False))
    assert reply.problem == "refused address"


def test_the_checked_address_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is looked up once for each attempt: the address that was checked is connected to, and the host is told by its name."""
    with receiving() as receiver:
        asked = resolving(monkeypatch, ["127.0.0.1"], ["203.0.113.9"])
        reply = asyncio.run(_sent(f"http://crm.example:{receiver.port}/events", private=True))
    assert reply.problem is None
    assert asked == ["crm.example"]
    assert receiver.received[0].headers["host"] == f"crm.example:{receiver.port}"


def test_the_certificate_is_that_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over TLS the receiver is asked for the certificate of its name, not of its address."""
    seen: list[Any] = []
    real = httpx.AsyncClient.send

    async def send(client: httpx.AsyncClient, request: httpx.Request, **options: Any) -> httpx.Response:
        seen.append((request.url.host, request.headers["host"], request.extensions["sni_hostname"], options["follow_redirects"]))
        return await real(client, request, **options)

    monkeypatch.setattr(httpx.AsyncClient, "send", send)
    resolving(monkeypatch, ["127.0.0.1"])
    reply = asyncio.run(_sent("https://crm.example:1/events", private=True))
    assert reply.problem == "no connection"
    assert seen == [("127.0.0.1", "crm.example:1", "crm.example", False)]


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would connect to what it likes: none is used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with receiving() as receiver:
        assert asyncio.run(_sent(receiver.url, private=True)).problem is None


def test_host_of_a_callback() -> None:
    """Of a callback its host is told, never its path."""
    assert host_of("https://crm.example/secret-path?key=1") == "crm.example"
    assert host_of("https://crm.example:8443/") == "crm.example:8443"


async def _sent(callback: str, *, private: bool) -> Any:
    sender = Sender(private=private, seconds=3)
    try:
        return await sender.send(callback, b"{}", {"content-type": "application/json"})
    finally:
        await sender.close()
