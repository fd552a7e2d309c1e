"""Tokens: JWTs of an identity provider that the settings name, checked once and remembered for a little."""

from __future__ import annotations

import hashlib
import json
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jwt
from jwt.types import Options

from app.api.identity.claims import ClaimNames, SystemOf, caller_of
from app.api.identity.keeping import KeptKeys
from app.api.identity.keyset import LONGEST_ID
from app.api.identity.refusing import KeysAway, NotKnown
from app.record.callers import Caller

LONGEST = 8_192
"""Characters of a token. A longer one is not looked into."""
LEEWAY = 30
"""Seconds that the provider's clock may be from ours."""
REMEMBERED = 60.0
"""Seconds for which a token that was good is not checked again."""
MOST_REMEMBERED = 10_000
_REQUIRED = ["exp", "iat", "iss", "aud", "sub"]
_OPTIONS: Options = {
    "require": _REQUIRED,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_sub": False,
    "verify_jti": False,
}
"""What is not verified there is looked at here, and told by its name, or means nothing to us."""
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TYPES = ("jwt", "at+jwt", "application/at+jwt")
_UNREADABLE = "the token cannot be read; send it as the identity provider gave it"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose tokens are taken: the issuer, this service's name in them, what they may be signed with, and the claims that are read."""

    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    names: ClaimNames = field(default_factory=ClaimNames)


class _Known(NamedTuple):
    """A token that was good: of whom, until when (seconds since 1970), and under which keys."""

    caller: Caller
    until: float
    version: int


class Tokens:
    """Says whose a token is."""

    def __init__(self, trust: Trust, keys: KeptKeys, system_of: SystemOf, clock: Callable[[], float] = time.time) -> None:
        """
        Args:
            trust: whose tokens are taken.
            keys: that they are signed with.
            system_of: the system that a client's name belongs to.
            clock: seconds since 1970.
        """
        self._trust, self._keys, self._system_of, self._clock = trust, keys, system_of, clock
        self._known: dict[bytes, _Known] = {}

    async def caller(self, token: str) -> Caller:
        """Whose token it is.

        Raises:
            NotKnown: it is not good; says why.
            KeysAway: there are no keys to check it with.
        """
        if len(token) > LONGEST:
            raise NotKnown(f"the token is longer than {LONGEST:,} characters")
        name = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(name)
        if known is not None and known.version == self._keys.version and self._clock() < known.until:
            return known.caller
        return await self._checked(token, name)

    async def _checked(self, token: str, name: bytes) -> Caller:
        algorithm, key_id = self._head(token)
        key = await self._keys.find(key_id, algorithm)
        if key is None:
            if not self._keys.had:
                raise KeysAway
            raise NotKnown("the token is signed with a key that the identity provider does not publish")
        if algorithm not in key.algorithms:
            raise NotKnown("the token says another algorithm than its key is for")
        version, claims = self._keys.version, self._claims(token, key.public, algorithm)
        caller = caller_of(claims, self._trust.names, self._system_of)
        self._remember(name, _Known(caller, min(float(claims["exp"]), self._clock() + REMEMBERED), version))
        return caller

    def _head(self, token: str) -> tuple[str, str | None]:
        """The algorithm and the key's id, as the token says: nothing else of its header is ever followed."""
        if not _FORM.fullmatch(token):
            raise NotKnown(_UNREADABLE)
        head = _object(token.partition(".")[0])
        if "crit" in head or "b64" in head or "zip" in head:
            raise NotKnown("the token asks for an extension (crit) that this service does not have")
        if str(head.get("typ", "JWT")).lower() not in _TYPES or str(head.get("cty", "")):
            raise NotKnown("the token is of another type than JWT")
        algorithm, key_id = head.get("alg"), head.get("kid")
        if algorithm not in self._trust.algorithms:
            raise NotKnown(f"the token is not signed with {' or '.join(self._trust.algorithms)}")
        if key_id is not None and not (isinstance(key_id, str) and 0 < len(key_id) <= LONGEST_ID):
            raise NotKnown("kid: is not the id of a key")
        return str(algorithm), key_id

    def _claims(self, token: str, public: Any, algorithm: str) -> Mapping[str, Any]:
        trust = self._trust
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                public,
                [algorithm],
                options=_OPTIONS,
                issuer=trust.issuer,
                audience=trust.audience,
            )
        except jwt.MissingRequiredClaimError as error:
            raise NotKnown(f"the token has no {error.claim}") from None
        except jwt.InvalidIssuerError:
            raise NotKnown("iss: the token is of another issuer") from None
        except jwt.InvalidAudienceError:
            raise NotKnown("aud: the token is meant for another service") from None
        except jwt.InvalidSignatureError:
            raise NotKnown("the signature of the token is wrong") from None
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError):
            raise NotKnown(_UNREADABLE) from None
        self._check_times(claims)
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock()
        times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
        for name, at in times.items():
            if isinstance(at, bool) or not isinstance(at, int | float) or not abs(at) < 1e12:
                raise NotKnown(f"{name}: is not a number of seconds since 1970")
        if times["exp"] <= now - LEEWAY:
            raise NotKnown("exp: the token has expired; get a new one")
        if times.get("nbf", now) > now + LEEWAY:
            raise NotKnown("nbf: the token is not valid yet")
        if times["iat"] > now + LEEWAY:
            raise NotKnown("iat: the token says that it was issued later than now")

    def _remember(self, name: bytes, known: _Known) -> None:
        self._known.pop(name, None)
        while len(self._known) >= MOST_REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[name] = known


def _object(part: str) -> Mapping[str, Any]:
    try:
        found = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        raise NotKnown(_UNREADABLE) from None
    if not isinstance(found, dict):
        raise NotKnown(_UNREADABLE)
    return found
