"""Words that nobody declares and that are one slip from another one."""

import pytest

from app.engine.pack import check_files
from app.engine.pack.checks.likeness import _slip
from tests.packs import changed, signals, small

pytestmark = pytest.mark.unit


def alike(files: dict[str, bytes]) -> list[str]:
    return [problem.message for problem in check_files(files) if problem.code == "similar-word"]


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [
        ("unsued", "unused", True),
        ("steaming_tv", "streaming_tv", True),
        ("streaming_tvs", "streaming_tv", True),
        ("streaning_tv", "streaming_tv", True),
        ("toll_pack_30", "toll_pack_60", False),
        ("data_pack", "data_pack_5", False),
        ("silver", "sliver", True),
    ],
)
def test_a_slip_is_one_letter(one: str, other: str, *, slip: bool) -> None:
    """One too many, one too few, another one, two exchanged; figures tell words apart."""
    assert _slip(one, other) is slip
    assert _slip(other, one) is slip


def test_a_category_that_is_nearly_another_one() -> None:
    """Caps, relevance and contact clauses would miss the action, and nobody would notice."""
    files = changed(("category: plan\n", "category: portnig\n"))
    assert alike(files) == ["the category `porting` stands here alone, and `portnig` elsewhere"]


def test_a_word_of_a_set_that_is_nearly_another_one() -> None:
    """A condition on a service that is written otherwise elsewhere would never hold."""
    one, other, slip = (f"'{word}' in services.held" for word in ("streaming_tv", "streaming_tv", "steaming_tv"))
    files = small(held=signals(one=f"{one} and facts.toll > 1", other=f"{other} and facts.toll > 2", slip=f"{slip} and facts.toll > 3"))
    assert alike(files) == ["the word of `services.held` `steaming_tv` stands here alone, and `streaming_tv` elsewhere"]
