"""An identity provider for tests: keys, the document that publishes them, and tokens."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_curve_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as new_rsa_key

from app.api.identity.keeping import KeptKeys
from app.api.identity.keyset import BadKeys
from app.api.identity.tokens import Trust

ISSUER, AUDIENCE = "https://id.example/", "wanliu"
TRUST = Trust(ISSUER, AUDIENCE, ("ES256", "RS256"))
_METHODS = {"ES256": jwt.algorithms.ECAlgorithm, "RS256": jwt.algorithms.RSAAlgorithm}


class Issuer:
    """Signs tokens and publishes its keys. `text` is what it publishes, none while it is away; `asked` counts the looks."""

    every, pause = 3600.0, 10.0

    def __init__(self) -> None:
        self.private: dict[str, EllipticCurvePrivateKey | RSAPrivateKey] = {"one": new_curve_key(SECP256R1())}
        self.asked = 0
        self.away = False

    def add(self, key_id: str, algorithm: str = "ES256") -> None:
        """Publish one more key."""
        self.private[key_id] = new_curve_key(SECP256R1()) if algorithm == "ES256" else new_rsa_key(65537, 2048)

    def jwk(self, key_id: str) -> dict[str, Any]:
        """A public key as it is published."""
        key = self.private[key_id]
        method: Any = _METHODS["RS256" if isinstance(key, RSAPrivateKey) else "ES256"]
        return {**method.to_jwk(key.public_key(), as_dict=True), "kid": key_id, "use": "sig"}

    @property
    def document(self) -> bytes:
        """The JWKS document."""
        return json.dumps({"keys": [self.jwk(key_id) for key_id in self.private]}).encode()

    async def fetch(self) -> bytes:
        """As a source of keys."""
        self.asked += 1
        if self.away:
            raise BadKeys("cannot be had: it is away")
        return self.document

    def kept(self) -> KeptKeys:
        """The keys as the service keeps them."""
        return KeptKeys(self)

    def token(self, role: str = "agent", sub: str = "a-17", *, key: str = "one", head: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token; a claim that is given as none is left out."""
        now = int(time.time())
        said = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": sub,
            "azp": "desktop",
            "role": role,
            "iat": now,
            "nbf": now,
            "exp": now + 600,
            **claims,
        }
        private = self.private[key]
        algorithm = "RS256" if isinstance(private, RSAPrivateKey) else "ES256"
        heads = {"alg": algorithm, "typ": "JWT", "kid": key, **(head or {})}
        parts = [_part({name: value for name, value in part.items() if value is not None}) for part in (heads, said)]
        signed = jwt.get_algorithm_by_name(algorithm).sign(".".join(parts).encode(), private)
        return f"{'.'.join(parts)}.{base64.urlsafe_b64encode(signed).rstrip(b'=').decode()}"


def _part(said: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
