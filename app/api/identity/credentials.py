"""What a request carries to say who calls: an API key or a token, one of them, once."""

from __future__ import annotations

from typing import NamedTuple

from starlette.datastructures import Headers

from app.api.identity.refusing import NotKnown

_DOTS = 2


class Credential(NamedTuple):
    """A key or a token; `is_token` where it has the form of one, and came as one."""

    text: str
    is_token: bool

    @property
    def is_misplaced(self) -> bool:
        """Has it the form of a token, and came as a key?"""
        return not self.is_token and self.text.count(".") == _DOTS


def credential_of(headers: Headers) -> Credential | None:
    """The API key or the token of a request: `Authorization: Bearer`, else `X-API-Key`; none where there is neither.

    Raises:
        NotKnown: there are two of a header, or a key beside a bearer token: which of them was meant is not for us to say.
    """
    given, keys = headers.getlist("authorization"), headers.getlist("x-api-key")
    if len(given) > 1 or len(keys) > 1:
        raise NotKnown("the header that says who calls is there twice; send it once", "invalid_request")
    scheme, _, rest = given[0].partition(" ") if given else ("", "", "")
    if scheme.lower() != "bearer":
        return Credential(keys[0], is_token=False) if keys else None
    if keys:
        raise NotKnown("both Authorization and X-API-Key say who calls; send one of them", "invalid_request")
    text = rest.strip()
    return Credential(text, is_token=text.count(".") == _DOTS)
