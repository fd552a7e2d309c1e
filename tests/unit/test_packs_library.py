"""The library of packs: any pack ever used, by digest, on either database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from app.api.packs.shelf import actions_on_shelf
from app.engine.problems import PackError
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.packs.history import History
from app.record.packs.library import DamagedPack, PackLibrary, Shelf, StoredPack, read_shelf, steps_mark
from app.record.packs.standing import read_history
from app.record.packs.steps import Checked, Desk, PackContent, UnknownPack
from app.record.store.database import Database
from app.record.store.problems import StoreUnavailable
from app.record.store.record import Record
from app.record.store.tables import PackRow
from tests.packs_in_force import content, now, version, write
from tests.pipeline import shipped, shipped_files

pytestmark = pytest.mark.unit


@pytest.fixture
def record(database: Database, keys: Keys) -> Iterator[Record]:
    opened = Record(database, keys, clock=now)
    opened.prepare()
    yield opened
    opened.close_now()


def publish(record: Record, pack: PackContent) -> str:
    entry = Desk(record.read_now(read_history), now(), Ids()).publish(Checked(pack, "small", "1.0.0"), "ann", None)
    assert entry is not None
    record.write_now(entry)
    return pack.digest


def test_a_pack_is_built_from_the_store_once(record: Record) -> None:
    """The same one again, until others pushed it out."""
    library = PackLibrary(record.database, pattern_engine="builtin", most=2)
    digests = [publish(record, content(f"{number}.0.0")) for number in (1, 2, 3)]
    first = library.get(digests[0])
    assert (first.digest, first.version) == (digests[0], "1.0.0")
    assert library.get(digests[0]) is first
    library.get(digests[1])
    assert library.get(digests[0]) is first
    library.get(digests[2])
    assert library.get(digests[0]) is first
    assert library._kept.keys() == {digests[2], digests[0]}


def test_the_actions_on_the_shelf(record: Record) -> None:
    """Those that the files of any pack in the store name; of one whose files were changed there, none."""
    assert record.read_now(actions_on_shelf) == frozenset()
    publish(record, PackContent(dict(shipped_files())))
    assert record.read_now(actions_on_shelf) == frozenset(shipped().by_id)
    publish(record, PackContent({**content("2.0.0").files, "policies/next.yaml": b'action: "of_the_next" # one\nkind: service\n'}))
    assert record.read_now(actions_on_shelf) >= {*shipped().by_id, "of_the_next"}
    with record.database.writing() as connection:
        connection.execute(update(PackRow).values(files=content("3.0.0").packed()))
    assert record.read_now(actions_on_shelf) == frozenset()


def test_what_is_not_there_or_damaged_is_told(record: Record) -> None:
    """Never another pack than the one that was asked for."""
    library = PackLibrary(record.database)
    digest = publish(record, content("1.0.0"))
    with pytest.raises(UnknownPack):
        library.get("sha256:" + "0" * 64)
    with record.database.writing() as connection:
        connection.execute(update(PackRow).values(files=content("2.0.0").packed()))
    with pytest.raises(DamagedPack):
        library.get(digest)


def test_a_pack_this_engine_refuses_is_told_with_its_mistakes(record: Record) -> None:
    """As when it is checked."""
    digest = publish(record, PackContent({**content("1.0.0").files, "rules/x.yaml": b"signals: 7\n"}))
    with pytest.raises(PackError, match=r"rules/x\.yaml"):
        PackLibrary(record.database).get(digest)


def test_a_store_that_is_away_is_told(record: Record) -> None:
    """As everywhere else."""
    with record.database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE pack")
    with pytest.raises(StoreUnavailable):
        PackLibrary(record.database).get("sha256:" + "0" * 64)
    with pytest.raises(StoreUnavailable):
        PackLibrary(record.database).shelf()


def test_a_draft_or_a_digest_may_be_named(record: Record, tmp_path: Path) -> None:
    """A folder, a digest, or the beginning of one."""
    digest = publish(record, content("1.0.0"))
    library = PackLibrary(record.database, pattern_engine="builtin")
    folder = write(tmp_path / "draft", version("2.0.0"))
    assert library.load_folder_or_digest(str(folder)).version == "2.0.0"
    for name in (digest, digest[7:], digest[7:13], digest[7:13].upper()):
        assert library.load_folder_or_digest(name).digest == digest
    with pytest.raises(UnknownPack, match="neither a folder nor the digest"):
        library.load_folder_or_digest("no/such folder")


def test_steps_leave_a_mark(record: Record) -> None:
    """What is asked each second changes with every step."""
    with record.database.reading() as connection:
        assert steps_mark(connection) == (0, "")
    publish(record, content("1.0.0"))
    shelf = record.read_now(read_shelf)
    with record.database.reading() as connection:
        assert steps_mark(connection) == (1, shelf.history.steps[0].entry_id)
    assert [(pack.name, pack.author) for pack in shelf.packs.values()] == [("small", "ann")]


def shelf_of(*digests: str) -> Shelf:
    return Shelf({digest: StoredPack(digest, "p", "1", "", "ann") for digest in digests}, History())


def test_a_digest_may_be_shortened() -> None:
    """To what names one pack; more than one, none, and an empty shelf are told with what is near."""
    one, two = "sha256:ab" + "0" * 62, "sha256:ac" + "1" * 62
    shelf = shelf_of(one, two)
    assert shelf.find("ab") == shelf.find("sha256:AB") == shelf.find(one) == one
    for given, told in (
        ("a", "begins 2 digests: ab0000000000, ac1111111111"),
        ("ac1111111112", "did you mean `ac1111111111`"),
        ("fff", "the newest is ab0000000000"),
        ("", "no pack has this digest; the newest is ab0000000000"),
    ):
        with pytest.raises(UnknownPack, match=told):
            shelf.find(given)
    with pytest.raises(UnknownPack, match="no pack was published yet"):
        shelf_of().find("ab")
