"""`wanliu token`: what an identity provider does, on a small scale, so that tokens can be tried before there is one."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from jwt.algorithms import ECAlgorithm

from app.api.identity.claims import caller_of
from app.api.identity.refusing import NotKnown
from app.api.identity.trusting import trust_of
from app.cli.console import err, fail
from app.cli.packs import settings
from app.cli.store import in_force, library, the_record
from app.engine.intake.wording import nearest_or_all
from app.engine.pack import Pack, load_pack
from app.engine.problems import PackError

ALGORITHM = "ES256"
KEY, KEYS = "signing.pem", "jwks.json"
_KEY_ID = "trial"


def write_keys(folder: Path) -> None:
    """Make a key; its private half readable by its owner only. One that is there is left alone."""
    private = generate_private_key(SECP256R1())
    text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = {**ECAlgorithm.to_jwk(private.public_key(), as_dict=True), "kid": _KEY_ID, "use": "sig", "alg": ALGORITHM}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(folder / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
        (folder / KEYS).write_text(json.dumps({"keys": [public]}, indent=2) + "\n")
    except FileExistsError:
        fail(f"`{folder / KEY}` is there already; name another folder, or delete it first: tokens signed with it stop working then")
    except OSError as error:
        fail(f"`{folder}` cannot be written: {error.strerror}")
    err().print(
        f"For a trial, set WANLIU_JWT_KEYS={folder / KEYS} WANLIU_JWT_ALGORITHMS={ALGORITHM} WANLIU_JWT_ISSUER=trial "
        "WANLIU_JWT_AUDIENCE=wanliu, for the service and for `wanliu token make`. In production an identity provider signs.",
        soft_wrap=True,
        markup=False,
    )


def make(key: Path, role: str, subject: str, *, client: str, grade: str | None, minutes: int) -> None:
    """Print a token, alone on standard output. One that the service would refuse is not made."""
    found = settings()
    trust = trust_of(found)
    if trust is None:
        fail("tokens are not taken: set WANLIU_JWT_ISSUER, WANLIU_JWT_AUDIENCE and WANLIU_JWT_KEYS as for the service")
    if ALGORITHM not in trust.algorithms:
        fail(f"WANLIU_JWT_ALGORITHMS: has no {ALGORITHM}, which `wanliu token` signs with")
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": trust.issuer,
        "aud": trust.audience,
        "sub": subject,
        "azp": client,
        trust.names.role: role,
        **({} if grade is None else {trust.names.grade: grade}),
        "iat": now,
        "nbf": now,
        "exp": now + minutes * 60,
    }
    _check_grade(role, grade)
    try:
        caller_of(claims, trust.names, lambda name: name)
    except NotKnown as error:
        fail(error.detail)
    print(jwt.encode(claims, _private(key), algorithm=ALGORITHM, headers={"kid": _KEY_ID}))  # noqa: T201 - the answer, for a program to take


def _check_grade(role: str, grade: str | None) -> None:
    """Refuse a grade of a role that has none, and one that could concede nothing."""
    if grade is not None and role != "agent":
        fail("--grade: only the role agent has grades; leave it out")
    pack = None if grade is None else _pack()
    if grade is not None and pack is not None and grade not in pack.choosing.concession:
        names = tuple(pack.choosing.concession)
        fail(f"--grade: {pack.name} {pack.version} has no `{grade}` under `arbitration.concession`; {nearest_or_all(grade, names)}")


def _pack() -> Pack | None:
    """The pack in force, or the one that a new store will be seeded with; none where there is none to be had."""
    found = settings()
    kept, keyed = found.database_file is None or found.database_file.exists(), found.keys is not None or found.keys_file.exists()
    if kept and keyed:
        with the_record() as record:
            pack = in_force(record, library(record))
        if pack is not None:
            return pack
    try:
        return load_pack(found.pack, pattern_engine=found.pattern_engine, cache=found.cache_folder)
    except (PackError, OSError):
        return None


def _private(file: Path) -> EllipticCurvePrivateKey:
    try:
        private = load_pem_private_key(file.read_bytes(), None)
    except OSError as error:
        fail(f"`{file}` cannot be read: {error.strerror}; `wanliu token keys FOLDER` makes one")
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, EllipticCurvePrivateKey) or private.curve.name != SECP256R1.name:
        fail(f"`{file}` is not a private key as `wanliu token keys` writes it")
    return private
