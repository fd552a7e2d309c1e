"""Settings that do not go together: each is right alone, and one of them would do nothing, or not what was meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.settings import Settings

_TOKENS = ("jwt_issuer", "jwt_audience", "jwt_keys")
_ABOUT_TOKENS = (*_TOKENS, "jwt_algorithms", "jwt_role_claim", "jwt_grade_claim")


def contradictions(settings: Settings) -> Iterator[str]:
    """What does not go together, each with the variable and what to do about it."""
    yield from _of_spool(settings)
    yield from _of_witness(settings)
    yield from _of_tokens(settings)
    if settings.keys is not None and settings.key_file is not None:
        yield f"{_name('key_file')}: is not read where {_name('keys')} is set; leave one of them out"


def _of_spool(settings: Settings) -> Iterator[str]:
    for name in ("spool_dir", "spool_mb"):
        if settings.on_store_failure != "spool" and _changed(settings, name):
            yield f"{_name(name)}: does nothing without {_name('on_store_failure')}=spool; set that too, or leave this out"


def _of_witness(settings: Settings) -> Iterator[str]:
    if settings.witness_url is not None and settings.witness_key is None:
        yield f"{_name('witness_key')}: needed with {_name('witness_url')}; the witness prints it when it starts"


def _of_tokens(settings: Settings) -> Iterator[str]:
    """What is said of tokens by half, or twice."""
    missing = [name for name in _TOKENS if getattr(settings, name) is None]
    said = [name for name in _ABOUT_TOKENS if _changed(settings, name)]
    if missing and said:
        all_of_them = ", ".join(map(_name, _TOKENS))
        yield f"{_name(missing[0])}: is needed where {_name(said[0])} is set; tokens are taken with {all_of_them}, or not at all"
    if settings.jwt_role_claim == settings.jwt_grade_claim:
        yield f"{_name('jwt_grade_claim')}: is the claim that {_name('jwt_role_claim')} names; expected another"


def _changed(settings: Settings, name: str) -> bool:
    return bool(getattr(settings, name) != type(settings).model_fields[name].default)


def _name(field: str) -> str:
    return f"WANLIU_{field.upper()}"
