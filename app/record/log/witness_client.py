"""Talking to a witness (C2SP tlog-witness): nothing that it says is believed unless it has signed it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from hashlib import sha256

import httpx

from app.record.log.cosigning import WitnessKey, cosigned_at, with_line
from app.record.log.notes import BadNote

_SECONDS = 5.0
_LONGEST_ANSWER = 131_072
_REFUSALS = {
    403: "the witness does not know the key that signs this log; start it with its verifier key too, as `wanliu keys show` prints it",
    404: "the witness does not know this log; start it with the log's verifier key, as `wanliu keys show` prints it",
}
_SIZE_TYPE = "text/x.tlog.size"


class WitnessUnreachable(Exception):
    """The witness did not answer, or not as a witness does. Nothing is known of what it has seen."""


class LogForked(Exception):
    """The witness has seen another log than this one: it was rolled back, or leaves that it had were changed."""


class OtherSize(Exception):
    """The witness has seen another size than the proof starts from."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the witness has seen {size} leaves")
        self.size = size


class WitnessClient:
    """Talks to a witness (C2SP tlog-witness) and believes only what it has signed."""

    def __init__(self, url: str, key: WitnessKey, transport: httpx.BaseTransport | None = None) -> None:
        """
        Args:
            url: where it is, `https://witness.example`.
            key: its verifier key.
            transport: for tests.
        """
        self.key = key
        self._client = httpx.Client(base_url=url, timeout=_SECONDS, transport=transport)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def add(self, old: int, proof: Sequence[bytes], note: str) -> str:
        """Ask for a cosignature of a checkpoint that goes on from `old` leaves. The note with it.

        Raises:
            OtherSize: the witness has seen another size than `old`.
            LogForked: the checkpoint does not go on from what the witness has seen.
            WitnessUnreachable: no answer that can be used.
        """
        body = "\n".join([f"old {old}", *(base64.b64encode(step).decode() for step in proof), "", note])
        status, kind, answer = self._asked("POST", "/add-checkpoint", body)
        if status == 409 and kind == _SIZE_TYPE:
            raise OtherSize(_size(answer))
        if status in (409, 422):
            raise LogForked("the witness has seen another log of this name: what it saw does not go on as this log does")
        if status != 200:
            raise WitnessUnreachable(_REFUSALS.get(status, f"the witness answered {status}"))
        try:
            return with_line(note, answer, self.key)
        except BadNote as error:
            raise WitnessUnreachable(f"the answer is no cosignature: {error}") from None

    def latest(self, origin: str) -> str | None:
        """The newest checkpoint of a log that the witness has cosigned, as a note; none where it has not seen the log.

        Raises:
            WitnessUnreachable: no answer that can be used, or one that the witness has not signed.
        """
        status, _, answer = self._asked("GET", f"/{sha256(origin.encode()).hexdigest()}/checkpoint")
        if status == 404:
            return None
        if status != 200:
            raise WitnessUnreachable(f"the witness answered {status}")
        try:
            cosigned_at(answer, self.key)
        except BadNote as error:
            raise WitnessUnreachable(f"the answer is not the witness's: {error}") from None
        return answer

    def _asked(self, method: str, path: str, body: str | None = None) -> tuple[int, str, str]:
        """Status, media type and text."""
        found = bytearray()
        try:
            with self._client.stream(method, path, content=body) as response:
                for part in response.iter_bytes():
                    found += part
                    if len(found) > _LONGEST_ANSWER:
                        raise WitnessUnreachable("the witness answered more than a witness does")
            return response.status_code, response.headers.get("content-type", "").partition(";")[0], found.decode()
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeDecodeError) as error:
            raise WitnessUnreachable(f"the witness does not answer: {type(error).__name__}") from None


def _size(answer: str) -> int:
    text = answer.removesuffix("\n")
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise WitnessUnreachable("the witness names no size")
    return int(text)
