"""The keys that tokens are signed with, as an identity provider publishes them (JWKS, RFC 7517): public and asymmetric, or refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from app.settings import ASYMMETRIC

MOST_KEYS = 100
LONGEST_ID = 200
_SMALLEST_RSA = 2048
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


class BadKeys(ValueError):
    """What was given is not a set of public keys; says why, and nothing of the keys."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key, and the algorithms that it may check."""

    public: PublicKey
    algorithms: frozenset[str]


@dataclass(frozen=True, slots=True)
class KeySet:
    """Keys by their ids; `unnamed` are those without one."""

    named: Mapping[str, SigningKey] = field(default_factory=dict)
    unnamed: tuple[SigningKey, ...] = ()

    def find(self, key_id: str | None, algorithm: str) -> SigningKey | None:
        """The key for a token: by its id or, where neither token nor key has one, the only one that fits the algorithm."""
        if key_id is not None:
            return self.named.get(key_id)
        fitting = [key for key in (*self.named.values(), *self.unnamed) if algorithm in key.algorithms]
        return fitting[0] if len(fitting) == 1 else None


def read_keys(text: bytes) -> KeySet:
    """The keys of a JWKS document. Keys that cannot check a signature (of another use, symmetric, unknown) are passed over.

    Raises:
        BadKeys: it is no such document, has private keys, too many, two of one id, or none that is of use.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise BadKeys("is not JSON") from None
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise BadKeys('is not a JWKS document: a JSON object with a list "keys" is expected')
    if len(listed) > MOST_KEYS:
        raise BadKeys(f"has more than {MOST_KEYS} keys")
    return _gathered(listed)


def _gathered(listed: list[Mapping[str, Any]]) -> KeySet:
    named: dict[str, SigningKey] = {}
    unnamed: list[SigningKey] = []
    for key_id, key in _usable(listed):
        if key_id is None:
            unnamed.append(key)
        elif key_id in named:
            raise BadKeys("has two keys of one `kid`")
        else:
            named[key_id] = key
    if not named and not unnamed:
        raise BadKeys("has no public key that tokens could be checked with")
    return KeySet(named, tuple(unnamed))


def _usable(listed: list[Mapping[str, Any]]) -> Iterator[tuple[str | None, SigningKey]]:
    for item in listed:
        if "d" in item:
            raise BadKeys("has a private key; the service is given public keys only")
        key_id, key = item.get("kid"), _key(item)
        if key is not None and (key_id is None or (isinstance(key_id, str) and 0 < len(key_id) <= LONGEST_ID)):
            yield key_id, key


def _key(item: Mapping[str, Any]) -> SigningKey | None:
    operations = item.get("key_ops", ["verify"])
    if item.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    try:
        public = jwt.PyJWK.from_dict(dict(item)).key
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return None
    fitting = _algorithms(public)
    said = item.get("alg")
    fitting &= fitting if said is None else frozenset({said}) if isinstance(said, str) else frozenset()
    return SigningKey(public, fitting) if fitting else None


def _algorithms(public: object) -> frozenset[str]:
    """What a key of this type can check; nothing where it is too weak, or no public key."""
    if isinstance(public, RSAPublicKey) and public.key_size >= _SMALLEST_RSA:
        return frozenset(name for name in ASYMMETRIC if name[:2] in ("RS", "PS"))
    if isinstance(public, EllipticCurvePublicKey):
        return frozenset(filter(None, (_CURVES.get(public.curve.name),)))
    return frozenset({"EdDSA"}) if isinstance(public, Ed25519PublicKey) else frozenset()
