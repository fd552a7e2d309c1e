"""Where events may be sent: to URLs of the open network, told by the addresses behind their names, which are looked up and checked anew
for each connection, and connected to as they were checked."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Sequence

import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LONGEST_URL = 2_000
_LONGEST_HOST = 253
_LOOKUP_SECONDS = 5.0
_MOST_ADDRESSES = 32
_PLAIN = re.compile(r"[!-~]+")
_AMBIGUOUS = frozenset('\\"<>^`{|}')
_HOST = re.compile(r"[0-9a-z_]([0-9a-z_-]*[0-9a-z_])?(\.[0-9a-z_]([0-9a-z_-]*[0-9a-z_])?)*\.?", re.IGNORECASE)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NEVER = tuple(
    map(
        ipaddress.ip_network,
        (
            "168.63.129.16/32",  # of a cloud's own services, though the address is public
            "192.0.0.0/24",
            "192.88.99.0/24",
            "::/96",  # the rest carry IPv4 addresses, or lead to relays
            "64:ff9b:1::/48",
            "100::/64",
            "2001::/23",
            "2002::/16",
            "3fff::/20",
            "5f00::/16",
            "fec0::/10",
        ),
    )
)


class BadCallback(ValueError):
    """Events cannot be sent there; the message says why, and never repeats the URL."""


def parsed(callback: str, *, private: bool) -> httpx.URL:
    """A callback's URL, as far as it can be judged as text.

    Args:
        callback: as it was given.
        private: may it be `http`, which is for networks of one's own.

    Raises:
        BadCallback: it is no URL that events may be sent to.
    """
    if not _PLAIN.fullmatch(callback) or _AMBIGUOUS & set(callback) or len(callback) > LONGEST_URL:
        raise BadCallback(f"expected a URL of at most {LONGEST_URL:,} plain ASCII characters; write other names as xn--…, others as %…")
    try:
        url = httpx.URL(callback)
    except (httpx.InvalidURL, ValueError):
        raise BadCallback("expected a URL such as https://crm.example/wanliu") from None
    _check(url, private=private)
    return url


async def checked_callback(callback: str, *, private: bool) -> None:
    """See that events may be sent to a callback, before it is stored.

    Args:
        callback: as it was given.
        private: may it lead into networks of one's own.

    Raises:
        BadCallback: it may not.
    """
    url = parsed(callback, private=private)
    if not private:
        await addresses_of(url, private=False)


async def addresses_of(url: httpx.URL, *, private: bool) -> Sequence[str]:
    """The addresses to connect to, in the order to try them; each may be connected to.

    Raises:
        BadCallback: the name is not known, or leads where events may not go.
    """
    found = await _looked_up(url)
    if not private and not all(is_open(address) for address in found):
        raise BadCallback("leads into a network that is not open to everybody; WANLIU_CALLBACKS_PRIVATE=true allows that")
    return [str(address) for address in found]


def is_open(address: Address) -> bool:
    """Is it an address of the open network: not private, of this machine or link, multicast, reserved, or a disguise of one of these."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_open(address.ipv4_mapped)
        if address in _NAT64:
            return is_open(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast and not address.is_reserved and not any(address in net for net in _NEVER)


def name_of(url: httpx.URL) -> str:
    """The host of a URL as name servers and certificates have it."""
    return url.raw_host.decode("ascii")


def host_of(callback: str) -> str:
    """The host of a callback that was let pass, with its port where that is a special one: what may be told of it."""
    url = httpx.URL(callback)
    return url.netloc.decode("ascii")


def _check(url: httpx.URL, *, private: bool) -> None:
    if url.scheme not in ("https", "http") or not url.host:
        raise BadCallback("expected a URL such as https://crm.example/wanliu")
    if url.scheme == "http" and not private:
        raise BadCallback("expected https://; http is for networks of one's own, with WANLIU_CALLBACKS_PRIVATE=true")
    if url.userinfo:
        raise BadCallback("has a name or password before the host; leave them out, events are signed instead")
    if url.fragment or "#" in str(url):
        raise BadCallback("has a `#`, which is never sent; leave it and what follows out")
    if url.port is not None and not 1 <= url.port <= 65_535:
        raise BadCallback("has a port that there is not; expected 1 to 65535")
    host = name_of(url)
    if len(host) > _LONGEST_HOST or not (_HOST.fullmatch(host) or _is_address(host)):
        raise BadCallback("has a host that is none; expected a name such as crm.example, or an address")


def _is_address(host: str) -> bool:
    try:
        return isinstance(ipaddress.ip_address(host), ipaddress.IPv6Address) and "%" not in host
    except ValueError:
        return False


async def _looked_up(url: httpx.URL) -> list[Address]:
    port = url.port or (443 if url.scheme == "https" else 80)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_LOOKUP_SECONDS):
            found = await loop.getaddrinfo(name_of(url), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        raise BadCallback("has a host that no name server knows") from None
    told = dict.fromkeys(str(item[4][0]).partition("%")[0] for item in found[:_MOST_ADDRESSES])
    return [ipaddress.ip_address(address) for address in told]
