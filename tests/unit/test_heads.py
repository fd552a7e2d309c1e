"""Headers that are found by name: what they say is what Starlette's say."""

import pytest
from starlette.datastructures import Headers

from app.api.heads import Head

pytestmark = pytest.mark.unit

ONCE = [(b"host", b"wanliu"), (b"content-type", b"application/json"), (b"x-name", b"m\xfcller"), (b"x-empty", b"")]


@pytest.mark.parametrize("raw", [[], ONCE, [*ONCE, (b"host", b"other")], [(b"x-empty", b"a"), *ONCE, (b"x-empty", b"a")]])
@pytest.mark.parametrize("name", ["host", "Host", "HOST", "content-type", "X-Name", "x-empty", "x-none"])
def test_they_say_what_starlettes_say(raw: list[tuple[bytes, bytes]], name: str) -> None:
    """However the name is written, whether it is there once, twice or not at all."""
    ours, plain = Head(raw), Headers(raw=raw)
    assert (ours.getlist(name), ours.get(name), ours.get(name, "-")) == (plain.getlist(name), plain.get(name), plain.get(name, "-"))
    assert (dict(ours), name in ours, len(ours)) == (dict(plain), name in plain, len(plain))
