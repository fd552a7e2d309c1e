"""Checks a bundle of records: python3 -I verify.py [BUNDLE] [--key KEY] [--checkpoint FILE].

Needs nothing but Python 3.8 or newer and its standard library. README.md beside it says what the parts of a bundle are.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import io
import json
import os
import sys
import zipfile
from typing import IO, Any, Dict, List, Optional, Tuple

MOST_FINDINGS = 20
LARGEST_SIZE = 2**63
PARTS = ("keys.json", "contents.txt", "bundle.json", "checkpoint.txt")
ID_LENGTH, KEY_LENGTH = 8, 44
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
HEX = "0123456789abcdef"


class Wrong(Exception):
    """Something in the bundle is not as it should be; the message says what."""


class Unverified(Exception):
    """Nothing can be said of the bundle: what is needed for it cannot be read, or is not what it should be. The message says what."""


# Ed25519 (RFC 8032, section 5.1), points in extended coordinates.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)

Point = Tuple[int, int, int, int]


def _sum(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(factor: int, point: Point) -> Point:
    found = NEUTRAL
    while factor:
        if factor & 1:
            found = _sum(found, point)
        point, factor = _sum(point, point), factor >> 1
    return found


def _recovered(y: int, sign: int) -> Optional[int]:
    """The x that belongs to a y; none where no point has it."""
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if y >= P or (x * x - square) % P or (not x and sign):
        return None
    return P - x if x & 1 != sign else x


def _point(data: bytes) -> Optional[Point]:
    number = int.from_bytes(data, "little")
    y = number & (1 << 255) - 1
    x = _recovered(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


def _encoded(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


_BASE_Y = 4 * pow(5, P - 2, P) % P
_BASE_X = _recovered(_BASE_Y, 0) or 0
BASE = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % P)


def is_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    """Did the owner of the public key (32 bytes) sign the message with this signature (64 bytes)."""
    key = _point(public) if len(public) == 32 else None
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or len(signature) != 64 or scalar >= ORDER:
        return False
    hashed = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    minus = (P - key[0], key[1], key[2], P - key[3])
    return bool(_encoded(_sum(_times(scalar, BASE), _times(hashed, minus))) == signature[:32])


# Signed notes (C2SP signed-note) and checkpoints (C2SP tlog-checkpoint).


class Key:
    """A public key of the log, from the text name+id+base64."""

    def __init__(self, text: str) -> None:
        parts = text.strip().split("+", 2)
        kind_and_key = _decoded(parts[2]) if len(parts) == 3 else b""
        self.text, self.name, self.public = text.strip(), parts[0], kind_and_key[1:]
        self.id = hashlib.sha256(self.name.encode() + b"\n" + kind_and_key).digest()[:4]
        if kind_and_key[:1] != b"\x01" or len(self.public) != 32 or self.id.hex() != parts[1]:
            raise Wrong("a key is not well formed: `%s`" % text.strip()[:100])


def opened_note(note: str, keys: list[Key], what: str, others: list[Key] | None = None) -> str:
    """The text of a note that one of the keys has signed. `others` are keys of the log that are not trusted."""
    text, blank, signed = note.rpartition("\n\n")
    text += "\n"
    genuine = False
    strange = []
    for line in signed.splitlines() if blank else ():
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "\N{EM DASH}":
            raise Wrong("%s: a line of its signatures is not well formed" % what)
        signature = _decoded(parts[2])
        for key in keys:
            if (key.name, key.id) == (parts[1], signature[:4]):
                if not is_signature(key.public, text.encode(), signature[4:]):
                    raise Wrong("%s: the signature is false: the text or the signature was changed" % what)
                genuine = True
        named = [key for key in others or () if (key.name, key.id) == (parts[1], signature[:4])]
        strange += [key.text for key in named if is_signature(key.public, text.encode(), signature[4:])]
    if strange and not genuine:
        raise Unverified("%s is signed by a key that you did not name with --key: %s" % (what, strange[0]))
    if not genuine:
        raise Wrong("%s: none of the log's keys has signed it" % what)
    return text


def read_checkpoint(note: str, keys: list[Key], what: str, others: list[Key] | None = None) -> tuple[str, int, bytes]:
    """(log, size, root) of a signed checkpoint."""
    lines = opened_note(note, keys, what, others).split("\n")
    if len(lines) != 4 or not lines[1].isdigit() or len(_decoded(lines[2])) != 32 or int(lines[1]) >= LARGEST_SIZE:
        raise Wrong("%s: it is no checkpoint" % what)
    return lines[0], int(lines[1]), _decoded(lines[2])


# The tree over the leaves (RFC 6962, section 2.1).


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def cover(start: int, end: int) -> list[int]:
    """The levels of the whole subtrees, side by side, that cover the leaves from start to before end."""
    levels = []
    while start < end:
        level = (end - start).bit_length() - 1
        level = min(level, (start & -start).bit_length() - 1) if start else level
        levels.append(level)
        start += 1 << level
    return levels


class Tree:
    """A tree that grows at its right end by leaves or whole subtrees."""

    def __init__(self) -> None:
        self.size = 0
        self._parts: list[tuple[int, bytes]] = []

    def add(self, found: bytes, level: int = 0) -> None:
        """Put a subtree of 2**level leaves at the end."""
        self.size += 1 << level
        while self._parts and self._parts[-1][0] == level:
            found = hashlib.sha256(b"\x01" + self._parts.pop()[1] + found).digest()
            level += 1
        self._parts.append((level, found))

    def cover(self, end: int, hashes: list[str], what: str) -> None:
        """Grow to `end` leaves by the whole subtrees whose hashes are given."""
        levels = cover(self.size, end)
        if len(levels) != len(hashes):
            raise Wrong("%s: of the hashes of the rest of the log %d were needed, and %d are there" % (what, len(levels), len(hashes)))
        for level, found in zip(levels, hashes):
            self.add(bytes.fromhex(found), level)

    @property
    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self._parts:
            return hashlib.sha256(b"").digest()
        found = self._parts[-1][1]
        for _, left in reversed(self._parts[:-1]):
            found = hashlib.sha256(b"\x01" + left + found).digest()
        return found


def leads_to(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that a path leads to from leaf number `index` of `size` (RFC 9162, section 2.1.3.2); empty where the path does not fit."""
    if not 0 <= index < size:
        return b""
    found, at, last = leaf, index, size - 1
    for step in path:
        if not last:
            return b""
        if at & 1 or at == last:
            found = hashlib.sha256(b"\x01" + step + found).digest()
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + step).digest()
        at, last = at >> 1, last >> 1
    return b"" if last else found


# The bundle.

Signed = Dict[int, List[Tuple[str, bytes]]]


class Folder:
    """A bundle's files in a folder."""

    def __init__(self, place: str) -> None:
        self._place = place

    def names(self) -> set[str]:
        """Every file, by its path with slashes."""
        found: set[str] = set()
        for top, _, files in os.walk(self._place):
            found.update(os.path.relpath(os.path.join(top, name), self._place).replace(os.sep, "/") for name in files)
        return found

    def open(self, name: str) -> IO[bytes]:
        """A file, to be read as bytes."""
        return open(os.path.join(self._place, *name.split("/")), "rb")

    def read(self, name: str) -> bytes:
        """A whole file."""
        with self.open(name) as opened:
            return bytes(opened.read())

    def close(self) -> None:
        """Let go of it."""


class Archive(Folder):
    """A bundle's files in a zip file."""

    def __init__(self, place: str) -> None:
        self._zip = zipfile.ZipFile(place)

    def names(self) -> set[str]:
        """Every file, by its path with slashes; each must be there once."""
        if len(set(self._zip.namelist())) != len(self._zip.namelist()):
            raise Wrong("the zip file holds a file twice")
        return {name for name in self._zip.namelist() if not name.endswith("/")}

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()

    def open(self, name: str) -> IO[bytes]:
        """A file, to be read as bytes."""
        return self._zip.open(name)


class Check:
    """One run over a bundle. What is wrong is gathered, what was checked is told."""

    def __init__(self, bundle: Folder, trusted: list[str], kept: list[str]) -> None:
        self.bundle, self.trusted, self.kept = bundle, trusted, kept
        self.findings: list[str] = []
        self.told: list[str] = []
        self.strange: list[Key] = []
        self.added: list[str] = []
        self.packs: set[str] = set()
        self.parts: dict[str, Dict[str, Any]] = {}
        self.sequences: dict[str, list[int]] = {}

    def run(self) -> None:
        """Everything, in an order in which nothing is believed before it was checked."""
        self._parts_there()
        self.keys = self._keys()
        self.listed = self._contents()
        self.about = json.loads(self.bundle.read("bundle.json"))
        self.origin, self.size, self.root = self._checkpoint("checkpoint.txt")
        self._stretches()
        self._campaigns()
        self._packs()
        if self.about["whole"]:
            self._sequences()

    def _parts_there(self) -> None:
        """Without any of a bundle's parts it is something else; without one of them it is a bundle from which something was taken."""
        there = self.bundle.names()
        missing = [name for name in PARTS if name not in there]
        if len(missing) == len(PARTS):
            raise Unverified("this is no bundle: it has none of the files %s" % ", ".join(PARTS))
        if missing:
            raise Wrong("%s: the file is missing" % missing[0])

    def _keys(self) -> list[Key]:
        document = json.loads(self.bundle.read("keys.json"))
        keys = [Key(item["key"]) for item in document["signing"]]
        if self.trusted:
            self.strange = [key for key in keys if key.text not in self.trusted]
            keys = [key for key in keys if key.text in self.trusted]
            if not keys:
                raise Wrong("keys.json: none of the keys that you named with --key is a key of this log")
            for key in self.strange:
                self.told.append("not trusted, for you did not name it with --key: %s" % key.text)
        else:
            self.told += ["key %s" % key.text for key in keys]
            self.told.append("compare the keys with what the operator gave you at another time, or name them with --key")
        return keys

    def _contents(self) -> set[str]:
        """The files that the signed list of contents names, each as it was when it was signed."""
        text = opened_note(self.bundle.read("contents.txt").decode(), self.keys, "contents.txt", self.strange)
        listed, there = {}, self.bundle.names()
        for line in text.splitlines()[1:]:
            hashed, _, name = line.partition("  ")
            listed[name] = hashed
        for name in sorted(listed):
            if name not in there:
                self.findings.append("%s: the file is missing" % name)
            elif self._hash_of(name) != listed[name]:
                self.findings.append("%s: the file was changed after it was put into the bundle" % name)
        self.added = sorted(there - set(listed) - {"contents.txt"})
        return set(listed) & there

    def _hash_of(self, name: str) -> str:
        total = hashlib.sha256()
        with self.bundle.open(name) as opened:
            for part in iter(lambda: opened.read(1 << 20), b""):
                total.update(part)
        return total.hexdigest()

    def _checkpoint(self, name: str) -> tuple[str, int, bytes]:
        return read_checkpoint(self.bundle.read(name).decode(), self.keys, name, self.strange)

    def _checkpoints(self) -> Signed:
        """Those of the bundle, and those that were kept elsewhere, by size."""
        found: Signed = {}
        given = [(name, self.bundle.read(name)) for name in sorted(self.listed) if name.startswith("checkpoints/")]
        given += [(name, _kept(name)) for name in self.kept]
        for name, note in given:
            origin, size, root = read_checkpoint(note.decode(), self.keys, name, self.strange)
            if origin != self.origin:
                raise Wrong("%s: it is of another log, %s" % (name, origin))
            found.setdefault(size, []).append((name, root))
        return found

    def _stretches(self) -> None:
        wanted = self._checkpoints()
        counted = {"records": 0, "archived": 0, "opened": 0, "said": 0}
        with contextlib.ExitStack() as opened:
            lines = Lines(self, opened, counted)
            for stretch in self.about["stretches"]:
                self._stretch(stretch, lines, wanted)
            lines.finish()
        if counted["archived"] > counted["said"]:
            self.findings.append(
                "%s said to be archived, and records of the kind `archived` say it of %d only"
                % ("1 record is" if counted["archived"] == 1 else "%d records are" % counted["archived"], counted["said"])
            )
        for size in sorted(wanted):
            for name, _ in wanted[size]:
                place = "%s: the checkpoint of %s" % (name, _many(size, "leaf", "leaves"))
                if size > self.size:
                    self.findings.append("%s is newer than the bundle, whose log ends at %d" % (place, self.size))
                else:
                    self.findings.append("%s cannot be compared; ask for a bundle that begins at or before leaf %d" % (place, size))
        self.told.append(
            "%s, %d of them opened, %d archived elsewhere" % (_many(counted["records"], "record"), counted["opened"], counted["archived"])
        )

    def _stretch(self, stretch: Dict[str, Any], lines: Lines, wanted: Signed) -> None:
        first, last = stretch["first"], stretch["last"]
        what = "leaves %d to %d" % (first, last) if last > first else "leaf %d" % first
        if not 0 <= first <= last < self.size:
            raise Wrong("%s: not in a log of %s" % (what, _many(self.size, "leaf", "leaves")))
        tree = Tree()
        tree.cover(first, stretch["left"], what)
        for index in range(first, last + 1):
            self._compare(tree, wanted)
            tree.add(lines.leaf(index))
        self._compare(tree, wanted)
        tree.cover(self.size, stretch["right"], what)
        self._compare(tree, wanted)
        if tree.root != self.root:
            raise Wrong("%s: they are not in the log that checkpoint.txt signs: something in them was changed, added or taken away" % what)
        self.told.append("%s: all there, without a gap, in the signed log of %s" % (what, _many(self.size, "leaf", "leaves")))

    def _compare(self, tree: Tree, wanted: Signed) -> None:
        for name, root in wanted.pop(tree.size, ()):
            if tree.root != root:
                self.findings.append("%s: the log's first %d leaves are not those that were signed then" % (name, tree.size))
            else:
                self.told.append("%s: the log goes on from it, nothing before leaf %d has changed since" % (name, tree.size))

    def _packs(self) -> None:
        files: dict[str, dict[str, str]] = {}
        for name in self.listed:
            if name.startswith("packs/"):
                _, digest, path = name.split("/", 2)
                files.setdefault(digest, {})[path] = name
        for digest in sorted(files):
            total = hashlib.sha256()
            for path in sorted(files[digest]):
                content, encoded = self.bundle.read(files[digest][path]), path.encode()
                total.update(b"%d %s %d " % (len(encoded), encoded, len(content)))
                total.update(content)
            if total.hexdigest() != digest:
                self.findings.append("packs/%s: the files are not those of this digest" % digest)
        without = {digest.partition(":")[2] for digest in self.about["without_packs"]}
        self.told += [
            "pack %s decided some of the records, and the operator does not have it any more" % digest for digest in sorted(without)
        ]
        for digest in sorted(self.packs - set(files) - without):
            self.findings.append("packs/%s: a record was decided with this pack, and it is missing" % digest)
        self.told.append("%s with the digest that the records name" % ("1 pack," if len(files) == 1 else "%d packs, each" % len(files)))

    def _campaigns(self) -> None:
        """Files of campaigns' parts and limits, each as its record says, and decisions of campaigns, each proved to be in its part."""
        files = limits = 0
        for entry, body in sorted(self.parts.items()):
            start = "%06d-" % body["number"] if "number" in body else "held-"
            found = [name for name in self.listed if name.startswith("chunks/%s/%s" % (body["job"], start))]
            files, limits = files + len(found) * ("number" in body), limits + len(found) * ("number" not in body)
            for name in found:
                if "sha256:" + self._hash_of(name) != body["file"]:
                    self.findings.append("%s: it is not the file that the record %s names" % (name, entry))
        if files:
            self.told.append("%s of campaigns, each the file that its record names" % _many(files, "part"))
        if limits:
            self.told.append("what limits made of %s, each the file that its record names" % _many(limits, "campaign"))
        rows = opened = 0
        with self.bundle.open("rows.ndjson") if "rows.ndjson" in self.listed else io.BytesIO() as lines:
            for line in lines:
                row = json.loads(line)
                rows, opened = rows + 1, opened + bool(row["opened"])
                wrong = self._wrong_with_row(row)
                if wrong:
                    self.findings.append("rows.ndjson: line %d: %s" % (rows, wrong))
        if rows:
            self.told.append("%s of campaigns in the parts that the records name, %d of them opened" % (_many(rows, "decision"), opened))

    def _wrong_with_row(self, row: Dict[str, Any]) -> str:
        """What is wrong with a decision of a campaign; nothing where nothing is."""
        body = self.parts.get(row["chunk"])
        if body is None or "root" not in body:
            return "no record here is that of its part"
        path = [bytes.fromhex(step) for step in row["path"]]
        root = leads_to(leaf_hash(row["envelope"].encode()), row["position"], body["decided"], path)
        if "sha256:" + root.hex() != body["root"]:
            return "the decision is not one of those that were recorded: it or its path was changed"
        told = json.loads(row["envelope"])
        if _digest(base64.b64decode(row["ciphertext"])) != told["private"]:
            return "the private payload was changed"
        opened = row["opened"]
        if opened and _digest(bytes.fromhex(opened["salt"]) + opened["committed"].encode()) != told["commitment"]:
            return "what was opened is not what was sealed"
        return ""

    def _sequences(self) -> None:
        """Every writer counts what it writes: a number that is missing was taken away before it was sealed."""
        waiting = {(item["writer"], item["sequence"]) for item in self.about["waiting"]}
        for writer in sorted(self.sequences):
            seen = sorted(self.sequences[writer])
            expected = 1
            for number in seen:
                lost = [n for n in range(expected, min(number, expected + MOST_FINDINGS)) if (writer, n) not in waiting]
                if lost and not self.about["archived"]:
                    self.findings.append("entry %d of the writer %s is missing: it was taken away before it was sealed" % (lost[0], writer))
                expected = number + 1
            if len(set(seen)) != len(seen):
                self.findings.append("the writer %s has used a number twice" % writer)
        self.told.append("the numbers of %s, without a gap" % _many(len(self.sequences), "writer"))


class Lines:
    """The lines of leaves, records and private payloads, read side by side."""

    def __init__(self, check: Check, opened: contextlib.ExitStack, counted: Dict[str, int]) -> None:
        self.check, self.counted = check, counted
        names = ("leaves.csv", "records.ndjson", "private.ndjson", "opened.ndjson")
        files = [opened.enter_context(check.bundle.open(name)) if name in check.listed else io.BytesIO() for name in names]
        self._leaves, self._records = files[:2]
        self._private, self._opened = (Payloads(name, file) for name, file in zip(names[2:], files[2:]))
        next(self._leaves, None)

    def leaf(self, index: int) -> bytes:
        """The hash of the next leaf, which must have this index, after its record was compared with it."""
        cells = next(self._leaves, b"").decode().rstrip("\n").split(",")
        if len(cells) != 3 or cells[0] != str(index):
            raise Wrong("leaves.csv: leaf %d is missing, or out of its place" % index)
        found = bytes.fromhex(cells[1])
        if cells[2] == "archived":
            self.counted["archived"] += 1
            return found
        line = next(self._records, b"")
        if not line.endswith(b"\n"):
            raise Wrong("records.ndjson: the record of leaf %d is missing" % index)
        if leaf_hash(line[:-1]) != found:
            self._wrong(index, "the record is not the one that was sealed: it was changed")
        else:
            self._look_into(index, json.loads(line))
        self.counted["records"] += 1
        return found

    def finish(self) -> None:
        """Nothing may be left over."""
        for name, rest in (("leaves.csv", self._leaves), ("records.ndjson", self._records)):
            if next(rest, b""):
                raise Wrong("%s: it goes on after the last leaf" % name)
        self._private.finish()
        self._opened.finish()

    def _look_into(self, index: int, record: Dict[str, Any]) -> None:
        self.check.sequences.setdefault(record["writer"], []).append(record["sequence"])
        body, entry = record["body"], record["id"]
        if record["kind"] in ("decision", "campaign_chunk"):
            self.check.packs.add(body["pack"].partition(":")[2])
        if record["kind"] in ("campaign_chunk", "campaign_held"):
            self.check.parts[entry] = body
        if record["kind"] == "archived":
            self.counted["said"] += body["entries"]
        private = self._private.of(entry)
        if "private" in record and (private is None or _digest(base64.b64decode(private["ciphertext"])) != record["private"]):
            self._wrong(index, "the private payload is missing" if private is None else "the private payload was changed")
        opened = self._opened.of(entry)
        if opened is not None:
            self.counted["opened"] += 1
            if _digest(bytes.fromhex(opened["salt"]) + opened["committed"].encode()) != record.get("commitment"):
                self._wrong(index, "what was opened is not what was sealed")

    def _wrong(self, index: int, what: str) -> None:
        self.check.findings.append("leaf %d: %s" % (index, what))


class Payloads:
    """Private payloads, in the order of the records they belong to."""

    def __init__(self, name: str, lines: IO[bytes]) -> None:
        self._name, self._lines = name, lines
        self._step()

    def of(self, entry: str) -> Optional[Dict[str, Any]]:
        """The payload of an entry; none where the next is another's."""
        found = self._next
        if found is None or found["id"] != entry:
            return None
        self._step()
        return found

    def finish(self) -> None:
        """Nothing may be left over."""
        if self._next is not None:
            raise Wrong("%s: it holds a payload that belongs to no record here" % self._name)

    def _step(self) -> None:
        line = next(self._lines, b"")
        self._next: Optional[Dict[str, Any]] = json.loads(line) if line else None


def _kept(name: str) -> bytes:
    """A checkpoint that the auditor kept."""
    try:
        with open(name, "rb") as opened:
            return opened.read()
    except OSError as error:
        raise Unverified("the checkpoint `%s` cannot be read: %s" % (name, error.strerror)) from None


def _check_keys(texts: list[str]) -> None:
    """What is named with --key must be keys: one that is none has signed nothing, and says nothing about the bundle."""
    wrong = [(text, _wrong_with(text)) for text in texts]
    told = ["`%s` is no key: %s" % (text[:100], why) for text, why in wrong if why]
    if told:
        where = "The operator gives you the log's key, apart from the bundle (`wanliu keys show` prints it); copy the whole line"
        raise Unverified("--key: %s. %s" % ("; ".join(told), where))


def _wrong_with(text: str) -> str:
    """What is wrong with the text of a key; nothing where nothing is."""
    try:
        Key(text)
    except Wrong:
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            return "it has %d of the three parts of name+id+base64" % len([part for part in parts if part])
        name, key_id, encoded = parts
        if not name or any(char.isspace() for char in name):
            return "its name, before the first +, is empty or holds a space"
        return (
            _misspelt("its id, between the first + and the second", key_id, HEX, "0-9 a-f", ID_LENGTH)
            or _misspelt("its last part, after the second +", encoded, BASE64, "A-Z a-z 0-9 + /", KEY_LENGTH)
            or _of_another_kind(encoded)
            or "its id does not belong to its name and its last part: a character in one of the three was mistyped"
        )
    return ""


def _misspelt(part: str, text: str, alphabet: str, written: str, length: int) -> str:
    """What is wrong with the letters of a part of a key, or with how many there are."""
    strange = next((char for char in text if char not in alphabet), "")
    if strange:
        return "%s, holds `%s` and may hold %s only" % (part, strange if strange.isprintable() else "\ufffd", written)
    return "" if len(text) == length else "%s, has %s and needs %d" % (part, _many(len(text), "character"), length)


def _of_another_kind(encoded: str) -> str:
    return "" if _decoded(encoded)[:1] == b"\x01" else "its last part, after the second +, is of another kind than Ed25519"


def _opened(place: str) -> Folder:
    if not os.path.exists(place):
        raise Unverified("there is no folder or zip file `%s`" % place)
    return Archive(place) if os.path.isfile(place) else Folder(place)


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _decoded(text: str) -> bytes:
    """The bytes of canonical base64; empty where it is none."""
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return found if base64.b64encode(found).decode() == text else b""


def main(arguments: list[str] | None = None) -> int:
    """Check a bundle and say what came of it. 0: genuine; 1: it is not, or cannot be read."""
    parser = argparse.ArgumentParser(description="Checks a bundle of records.")
    parser.add_argument("bundle", nargs="?", default=os.path.dirname(os.path.abspath(__file__)), help="folder or zip file")
    parser.add_argument("--key", action="append", default=[], help="a public key of the log that you trust, name+id+base64")
    parser.add_argument("--checkpoint", action="append", default=[], help="a checkpoint of the log that you kept")
    given = parser.parse_args(arguments)
    try:
        _check_keys(given.key)
        bundle = _opened(given.bundle)
    except (Unverified, OSError, zipfile.BadZipFile) as error:
        return _unverified("the bundle cannot be read: %s" % error if not isinstance(error, Unverified) else str(error))
    check = Check(bundle, [key.strip() for key in given.key], given.checkpoint)
    try:
        check.run()
    except Unverified as error:
        return _unverified(str(error), check)
    except Wrong as error:
        check.findings.append(str(error))
    except Exception as error:
        check.findings.append("the bundle is damaged: %s: %s" % (type(error).__name__, str(error)[:200]))
    finally:
        bundle.close()
    return _verdict(check)


def _unverified(why: str, check: Optional[Check] = None) -> int:
    for line in check.told if check else ():
        print("  " + line)
    print("NOT VERIFIED: %s" % why)
    return 1


def _many(number: int, one: str, several: str = "") -> str:
    return "1 " + one if number == 1 else "%d %s" % (number, several or one + "s")


def _counted(files: list[str]) -> str:
    return "1 file that is not part of the bundle" if len(files) == 1 else "%d files that are not part of the bundle" % len(files)


def _verdict(check: Check) -> int:
    for line in check.told:
        print("  " + line)
    for name in check.added[:MOST_FINDINGS]:
        print("? not part of the bundle, and not looked at: %s" % name)
    for line in check.findings[:MOST_FINDINGS]:
        print("! " + line)
    if check.findings:
        print("NOT GENUINE: %s; the first is: %s" % (_many(len(check.findings), "finding"), check.findings[0]))
        return 1
    print("GENUINE: the records of the log %s are as they were signed, and none of the leaves named above is missing." % check.origin)
    if check.added:
        print("This does not hold for %s, which nobody signed: %s" % (_counted(check.added), ", ".join(check.added[:MOST_FINDINGS])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
