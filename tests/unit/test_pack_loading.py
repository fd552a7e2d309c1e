"""A pack from a folder or from files: frozen, with a digest; a broken one is never half a pack."""

import os
import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.engine.decide import decide
from app.engine.pack import LARGEST_PACK, MOST_FILES, PackError, build_pack, check_files, digest_of, load_pack, read_folder
from tests.packs import CARE, SMALL, changed, codes, small
from tests.pipeline import ROOT, cases, pack_of, shipped, shipped_files

pytestmark = pytest.mark.unit


def written(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


class TestFolder:
    def test_what_is_read(self, tmp_path: Path) -> None:
        """YAML under `rules/` and `policies/`, but for the pack's own tests and what is not YAML."""
        others = {"policies/tests/a.yaml": b"x", "policies/README.md": b"x", "docs/a.yaml": b"x", "rules/.hidden": b"x"}
        written(tmp_path, {**SMALL, **others, "rules/deep/er/more.yml": b"holidays: []"})
        assert read_folder(tmp_path) == {**SMALL, "rules/deep/er/more.yml": b"holidays: []"}
        assert load_pack(tmp_path).name == "small"

    def test_capitals(self, tmp_path: Path) -> None:
        """The end of a file's name may be in capitals."""
        more = {"rules/a.YAML": b"holidays: []", "rules/b.Yml": b"holidays: []", "policies/c.YML": b"holidays: []"}
        assert read_folder(written(tmp_path, {**SMALL, **more, "rules/d.yaxml": b"x"})) == {**SMALL, **more}

    @pytest.mark.parametrize("name", ["none", "empty"])
    def test_no_pack(self, tmp_path: Path, name: str) -> None:
        """A folder without a pack says what one is."""
        (tmp_path / "empty").mkdir()
        with pytest.raises(PackError, match=r"error\[missing\]: no pack here; a pack is a folder with `rules/` and `policies/`"):
            load_pack(tmp_path / name)

    def test_too_many_files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A pack has so many files at most; no more of them are read to find out."""
        monkeypatch.setattr("app.engine.pack.MOST_FILES", 5)
        with pytest.raises(PackError) as raised:
            read_folder(written(tmp_path, SMALL))
        assert codes(raised.value.problems) == ["pack-too-large"]

    def test_too_large(self, tmp_path: Path) -> None:
        """So many bytes at most, whatever they hold."""
        with (written(tmp_path, SMALL) / "rules/big.yaml").open("wb") as file:
            file.truncate(LARGEST_PACK)
        with pytest.raises(PackError) as raised:
            read_folder(tmp_path)
        assert codes(raised.value.problems) == ["pack-too-large"]
        assert codes(check_files({f"rules/{n}.yaml": b"" for n in range(MOST_FILES + 1)})) == ["pack-too-large"]

    def test_odd_names(self, tmp_path: Path) -> None:
        """File names that are not text are read all the same, and are printable; pipes and loops are not."""
        written(tmp_path, SMALL)
        name = os.fsdecode(b"rules/\xff.yaml")
        (tmp_path / name).write_bytes(b"holidays: []")
        os.mkfifo(tmp_path / "rules/pipe.yaml")
        (tmp_path / "rules/loop").symlink_to(tmp_path / "rules")
        (tmp_path / "rules/gone.yaml").symlink_to(tmp_path / "nowhere")
        files = read_folder(tmp_path)
        assert [str(problem) for problem in check_files({**files, "rules/\\udcff.yaml": b""})] == [
            "rules/\\udcff.yaml:1:1: error[empty-file]: the file is empty; delete it, or write its rules"
        ]
        assert set(files) == {*SMALL, "rules/\\udcff.yaml"}
        assert build_pack(files).digest.startswith("sha256:")


class TestDigest:
    def test_bytes_and_paths(self) -> None:
        """The digest is over sorted paths and bytes: the order of files means nothing, a byte or a name does."""
        names = list(SMALL)
        random.Random(1).shuffle(names)
        assert digest_of({name: SMALL[name] for name in names}) == digest_of(SMALL) == build_pack(SMALL).digest
        assert digest_of({**SMALL, "rules/pack.yaml": SMALL["rules/pack.yaml"] + b"\n"}) != digest_of(SMALL)
        assert digest_of({"a": b"bc"}) != digest_of({"ab": b"c"})
        assert digest_of({"a": b"1", "b": b""}) != digest_of({"a": b"", "b": b"1"})

    def test_stable(self) -> None:
        """The digest of given bytes never changes: records name packs by it."""
        assert digest_of({"rules/a.yaml": b"x", "policies/b.yaml": b"\xe4\xb8\xad"}) == DIGEST


DIGEST = "sha256:05100018b6b5ded54fbaeca25c7cddaaa56156065fdf4fe3e4f454315ed90cf2"


def decided(files: Mapping[str, bytes], seed: int) -> list[object]:
    pack = pack_of(files)
    return [decide(pack, case) for case in cases(pack, seed, 30)]


class TestOrder:
    def test_names_of_files_mean_nothing(self) -> None:
        """Files under other names, cut and merged in another way, decide the same; only the digest differs."""
        renamed = {f"{name.partition('/')[0]}/{len(SMALL) - n}.yaml": content for n, (name, content) in enumerate(SMALL.items())}
        assert digest_of(renamed) != digest_of(SMALL)
        assert decided(renamed, 1) == decided(SMALL, 1)

    def test_shipped_pack(self) -> None:
        """So it is for the pack that is shipped."""
        files = shipped_files()
        renamed = {
            f"{name.partition('/')[0]}/{n}.yaml": content
            for n, (name, content) in enumerate(sorted(files.items(), key=lambda item: item[1]))
        }
        assert decided(renamed, 2) == decided(files, 2)

    def test_order_of_parts(self) -> None:
        """Signals, facts, parameters and tariffs may stand in any order."""
        rules = SMALL["rules/rules.yaml"].decode()
        start, end = rules.index("facts:"), rules.index("questions:")
        turned = rules[end:] + rules[start:end] + rules[:start]
        assert decided({**SMALL, "rules/rules.yaml": turned.encode()}, 3) == decided(SMALL, 3)

    def test_order_of_clauses(self) -> None:
        """Which of two clauses that keep an action out is named does not rest on the file it stands in."""
        clause = "contact:\n  - id: band\n    title: {en: A, zh: B}\n    permits: custom.band == 'a'\n    reason: {en: A, zh: B}\n"
        band, visit = clause.encode(), clause.replace("band", "visit", 1).replace("custom.band == 'a'", "known(custom.band)").encode()
        one = decided({**SMALL, "policies/a.yaml": band, "rules/z.yaml": visit}, 8)
        assert one == decided({**SMALL, "policies/a.yaml": visit, "rules/z.yaml": band}, 8)


class TestShipped:
    def test_loads(self) -> None:
        """The shipped pack has no mistake, and nothing that nothing reaches."""
        assert check_files(shipped_files()) == ()
        assert load_pack(ROOT).digest == digest_of(read_folder(ROOT)) == shipped().digest

    def test_files(self) -> None:
        """A pack says which files it is from."""
        assert shipped().files == tuple(sorted(shipped_files()))


class TestBroken:
    def test_keeps_what_runs(self) -> None:
        """A broken pack is an error with every problem, never a pack; the one before it decides as it did."""
        running = build_pack(SMALL)
        before = [decide(running, case) for case in cases(running, 4, 10)]
        broken = changed(("value: 100", "value: plan.id"), ("fact: home.has_broadband", "fact: home.has_brodband"))
        with pytest.raises(PackError) as raised:
            build_pack(broken)
        assert raised.value.problems == check_files(broken)
        assert len(raised.value.problems) == 2
        assert [decide(running, case) for case in cases(running, 4, 10)] == before

    def test_warnings_do_not_stop(self) -> None:
        """A part that nothing reaches is a warning: the pack decides all the same."""
        files = changed(("relevance: {care: 2.0}", "relevance: {cares: 2.0}"))
        assert [problem.severity for problem in check_files(files)] == ["warning"]
        assert build_pack(files).name == "small"

    def test_frozen(self) -> None:
        """A pack cannot be changed once it is built."""
        with pytest.raises(AttributeError):
            build_pack(SMALL).name = "other"  # type: ignore[misc]


class TestConcession:
    def test_gates_see_it(self) -> None:
        """What an action concedes is worked out before its gates look at it, also where it rests on facts."""
        files = changed(("value: 100", "value: 100\nconcession: plan.monthly_fee / 2\neligible: {little: action.concession <= 3000}"))
        pack = pack_of(files)
        seen = set()
        for case in cases(pack, 5, 200):
            fee = case.subscriber.plan.monthly_fee if case.subscriber.plan else None
            found = next(outcome for outcome in decide(pack, case).outcomes if outcome.action == "thank_you")
            little = [failing for failing in found.failing if failing.clause == "little"]
            seen.add(None if fee is None else fee <= 6000)
            if found.cause != "not_applicable":
                assert bool(little) == (fee is None or fee > 6000)
        assert seen >= {True, False}

    def test_rows_know_the_action(self) -> None:
        """The rows of a duty may look at what the action is."""
        pack = pack_of(changed(("duty: care\n", "duty:\n  - if: action.category == 'care'\n    is: owed\n  - is: care\n")))
        duties = {ranked.duty for case in cases(pack, 6, 50) for ranked in decide(pack, case).ranked if ranked.action == "thank_you"}
        assert duties == {"owed"}


def test_care_is_a_pack_of_its_own_file() -> None:
    """An action may stand in any folder under `policies/`."""
    files = {name: content for name, content in small().items() if content != CARE.encode()}
    assert decided({**files, "policies/z.yaml": CARE.encode()}, 7) == decided(SMALL, 7)
