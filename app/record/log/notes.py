"""Signed notes and checkpoints: short texts that anybody can check (C2SP signed-note and tlog-checkpoint), signed with Ed25519."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import ClassVar, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.record.log.merkle import HASH_BYTES

MOST_SIGNATURES = 64
LONGEST_NOTE = 262_144
_KEY_BYTES = 32
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE_LINE = re.compile("\N{EM DASH} ([^ \n]+) ([A-Za-z0-9+/=]+)")
_SIZE = re.compile("0|[1-9][0-9]{0,18}")


class BadNote(ValueError):
    """The note is not well formed, or nobody who is trusted has signed it."""


class BadKey(ValueError):
    """The text of a key is not well formed."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a key that signs notes: its name, and 32 bytes. `kind` is what it signs, as signed-note numbers it."""

    kind: ClassVar[bytes] = b"\x01"
    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise BadKey("the name of a key is empty, or holds a space or a plus sign")
        if len(self.public) != _KEY_BYTES:
            raise BadKey("a public key of Ed25519 has 32 bytes")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key from `name+id+base64`.

        Raises:
            BadKey: it is something else, or its id is not that of the key.
        """
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        kind_and_key = _decoded(encoded)
        if kind_and_key is None or kind_and_key[:1] != cls.kind:
            raise BadKey("a verifier key reads name+id+base64, of the Ed25519 kind")
        found = cls(name, kind_and_key[1:])
        if found.id.hex() != key_id:
            raise BadKey(f"the id in the verifier key `{name}` is not that of its bytes; copy the key again")
        return found

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        return sha256(self.name.encode() + b"\n" + self.kind + self.public).digest()[:4]

    def text(self) -> str:
        """`name+id+base64`, as it is handed to whoever verifies."""
        return f"{self.name}+{self.id.hex()}+{_encoded(self.kind + self.public)}"

    def accepts(self, text: str, signature: bytes) -> bool:
        """Is the signature this key's, over this text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class SignerKey:
    """A key that signs notes: its name, and the 32 bytes of its private half."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != _KEY_BYTES:
            raise BadKey("a private key of Ed25519 has 32 bytes")

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    def sign(self, text: str) -> bytes:
        """The 64 bytes of the signature over the text."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log: which log, how many leaves, the root over them (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The text that is signed: three lines."""
        return f"{self.origin}\n{self.size}\n{_encoded(self.root)}\n"


def is_key_name(name: str) -> bool:
    """May a key be called so: not empty, no space of any kind, no plus sign, nothing that is not printed."""
    return bool(name) and name.isprintable() and "+" not in name and not any(letter.isspace() for letter in name)


def sign_note(text: str, *signers: SignerKey) -> str:
    """The note: the text and a line for each signature.

    Raises:
        BadNote: the text does not end in a newline or holds control characters, or nobody signs.
    """
    if not signers or not _is_text(text):
        raise BadNote("a note is signed by somebody, ends in a newline, and holds no control characters")
    return noted(text, [(signer.name, signer.verifier.id, signer.sign(text)) for signer in signers])


def noted(text: str, signatures: Iterable[tuple[str, bytes, bytes]]) -> str:
    """The note of a text and its signatures, each a (key name, key id, signature)."""
    lines = (f"\N{EM DASH} {name} {_encoded(key_id + signature)}\n" for name, key_id, signature in signatures)
    return f"{text}\n{''.join(lines)}"


def open_note(note: str, verifiers: Sequence[VerifierKey]) -> str:
    """The text of a note that at least one of these keys has signed. Signatures of other keys are passed over.

    Raises:
        BadNote: it is no note, none of the keys has signed it, or what says to be the signature of one is not.
    """
    text, lines = divided(note)
    named = [((verifier.name, verifier.id), verifier) for verifier in verifiers]
    known = [(verifier, signature) for name, key_id, signature in lines for names, verifier in named if names == (name, key_id)]
    if not known:
        raise BadNote("no key that is trusted has signed the note")
    if not all(verifier.accepts(text, signature) for verifier, signature in known):
        raise BadNote("a signature of the note is false: the text or the signature was changed")
    return text


def sign_checkpoint(checkpoint: Checkpoint, *signers: SignerKey) -> str:
    """The checkpoint as a signed note.

    Raises:
        BadNote: its origin, size or root is not what a checkpoint may have.
    """
    if _checkpoint(checkpoint.text()) != checkpoint:
        raise BadNote("a checkpoint has an origin, a size, and a root of 32 bytes")
    return sign_note(checkpoint.text(), *signers)


def read_checkpoint(note: str, verifiers: Sequence[VerifierKey]) -> Checkpoint:
    """The checkpoint in a note that at least one of these keys has signed. Whose log it is, the caller compares.

    Raises:
        BadNote: as `open_note`, or the text is no checkpoint of exactly three lines.
    """
    return _checkpoint(open_note(note, verifiers))


def _checkpoint(text: str) -> Checkpoint:
    origin, *rest = text.split("\n")
    if len(rest) == 3 and origin and _SIZE.fullmatch(rest[0]):
        root = _decoded(rest[1])
        if root is not None and len(root) == HASH_BYTES:
            return Checkpoint(origin, int(rest[0]), root)
    raise BadNote("a checkpoint is three lines: origin, size, and root in base64")


def divided(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The text of a note, and (key name, key id, signature) of each line, whoever signed.

    Raises:
        BadNote: it is no note.
    """
    text, blank, signed = note.rpartition("\n\n")
    if len(note) > LONGEST_NOTE or not (blank and _is_text(text + "\n") and signed.endswith("\n")):
        raise BadNote("a note is a text, an empty line, and a line for each signature")
    lines = signed[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise BadNote(f"a note has at most {MOST_SIGNATURES} signatures")
    return text + "\n", list(_signatures(lines))


def _signatures(lines: Sequence[str]) -> Iterator[tuple[str, bytes, bytes]]:
    for line in lines:
        parts = _SIGNATURE_LINE.fullmatch(line)
        signature = _decoded(parts[2]) if parts else None
        if parts is None or signature is None or len(signature) < 5 or not is_key_name(parts[1]):
            raise BadNote("a signature line reads: em dash, name of the key, id and signature in base64")
        yield parts[1], signature[:4], signature[4:]


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return text.endswith("\n") and not _CONTROL.search(text)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes | None:
    """The bytes; none where the text is not exactly how they are written."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _encoded(data) == text else None
