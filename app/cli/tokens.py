"""`wanliu token`: what an identity provider does, on a small scale, so that tokens can be tried before there is one."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from jwt.algorithms import ECAlgorithm

from app.api.identity.claims import ClaimNames, caller_of
from app.api.identity.refusing import NotKnown
from app.api.identity.trusting import trust_of
from app.cli.callers import no_grade_of
from app.cli.console import err, fail
from app.cli.packs import settings
from app.cli.store import in_force, library, the_record
from app.engine.pack import Pack, load_pack
from app.engine.problems import PackError
from app.record.callers import GRADE_PATTERN, NAME_PATTERN, RESERVED

ALGORITHM = "ES256"
KEY, KEYS = "signing.pem", "jwks.json"
_KEY_ID = "trial"
_SUBJECTS = {
    "self_service": "the subscriber's id, such as s-1001: letters or digits, then also _ . : @ + -, at most 64",
    "agent": "the agent's code, such as a-17: letters or digits, then also _ . : @ / + -, at most 64",
    "campaign": "the name of the campaign engine, such as spring-offers",
}
"""What `--subject` has to be, by role; of other roles `_A_PERSON`."""
_A_PERSON = "who they are, such as ann: at most 64 printable ASCII characters without spaces"


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
        fail(
            "tokens are not taken: set WANLIU_JWT_ISSUER, WANLIU_JWT_AUDIENCE, WANLIU_JWT_KEYS and WANLIU_JWT_ALGORITHMS as for the"
            " service; for a trial `wanliu token keys FOLDER` makes a key and prints what to set"
        )
    if ALGORITHM not in trust.algorithms:
        fail(f"WANLIU_JWT_ALGORITHMS: has no {ALGORITHM}, which `wanliu token` signs with; for a trial set it to {ALGORITHM}")
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
    wrong = [*_wrong_subject(claims, trust.names), *_wrong_client(client), *_wrong_grade(role, grade)]
    if wrong:
        fail(*wrong)
    print(jwt.encode(claims, _private(key), algorithm=ALGORITHM, headers={"kid": _KEY_ID}))  # noqa: T201 - the answer, for a program to take


def _wrong_subject(claims: Mapping[str, Any], names: ClaimNames) -> Iterator[str]:
    """What is wrong with `--subject`: what the service says of the claim that it becomes, in the option's words."""
    if not _is_taken({**claims, "azp": "trial", names.grade: None}, names):
        yield f"--subject: expected {_SUBJECTS.get(claims[names.role], _A_PERSON)}"


def _wrong_client(client: str) -> Iterator[str]:
    if client in RESERVED:
        yield f"--client: `{client}` is what the record calls something else; choose another name"
    elif not re.fullmatch(NAME_PATTERN, client):
        near = re.sub("[^a-z0-9_.-]+", "-", client.lower()).strip("_.-")
        hint = f"; did you mean `{near}`?" if re.fullmatch(NAME_PATTERN, near) else ", such as trial"
        yield f"--client: expected a name of small letters, digits and _ . -, beginning with a letter or digit, at most 64{hint}"


def _wrong_grade(role: str, grade: str | None) -> Iterator[str]:
    """What is wrong with a grade: a role that has none, or that it could concede nothing."""
    if grade is None:
        return
    if role != "agent":
        yield "--grade: only the role agent has grades; leave it out"
        return
    pack = _pack()
    if pack is not None:
        if no_grade := no_grade_of(pack, grade):
            yield f"--grade: {no_grade}"
    elif not re.fullmatch(GRADE_PATTERN, grade):
        yield "--grade: expected a name of small letters, digits and _, such as leader"


def _is_taken(claims: Mapping[str, Any], names: ClaimNames) -> bool:
    """Would the service know somebody by these claims?"""
    try:
        caller_of(claims, names, lambda name: name)
    except NotKnown:
        return False
    return True


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
