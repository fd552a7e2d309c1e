"""`wanliu keys show`, `rotate` and `rewrap`: the record's own keys."""

from __future__ import annotations

from typing import Literal

from app.cli.console import complain, fail, out, write_json
from app.cli.packs import settings
from app.cli.store import the_record, who

_BEFORE = "every process of the service has to know the wrapping key {} by now: until it does, it answers 503 for every person re-wrapped"
_ELSEWHERE = "A process with its own copy of the keys, or with WANLIU_KEYS, knows it when it was given them and started anew."


def show(*, as_json: bool) -> None:
    """Print the public halves."""
    from app.record.keys import KeysProblem, load_keys, public_half

    found = settings()
    if found.keys is None and not found.keys_file.exists():
        fail(f"there are no keys at `{found.keys_file}`; the service makes them when it first starts")
    try:
        told = public_half(load_keys(found.keys_file, found.keys))
    except KeysProblem as error:
        fail(error)
    if as_json:
        write_json(told)
        return
    out().print(f"The log is called {told['origin']}. Whoever verifies it or witnesses it needs its key:", soft_wrap=True)
    for key in told["signing"]:
        out().print(f"{key['key']}  since {key['since']}", soft_wrap=True, markup=False)


def rotate(which: Literal["signing", "wrapping"], by: str | None) -> None:
    """Put a new key into the keys file."""
    from app.record.keys import KeysProblem
    from app.record.rotating import rotate as put

    found = settings()
    if found.keys is not None:
        fail(
            "the keys come from WANLIU_KEYS: put its text into a file that WANLIU_KEY_FILE names, rotate there, and set WANLIU_KEYS to the",
            "text that the file holds then",
        )
    with the_record() as record:
        try:
            keys = put(record, found.keys_file, which, by=who(by))
        except KeysProblem as error:
            fail(error)
    if which == "signing":
        out().print(f"New signing key {keys.verifiers[-1].text()}", soft_wrap=True, markup=False)
        out().print("Start the services anew so that they sign with it, and give the key to your witness and auditors.", soft_wrap=True)
    else:
        out().print(f"New wrapping key {keys.wrapping[-1].id}")
        out().print(
            "Services that use this keys file find it there; start them anew, one after the other, so that they wrap with it.",
            soft_wrap=True,
        )
        out().print(_ELSEWHERE, soft_wrap=True)
        out().print("Then run `wanliu keys rewrap`.")


def rewrap() -> None:
    """Wrap the keys of all subjects, and the secrets of webhooks, with the newest wrapping key."""
    from app.record.keys import KeysProblem
    from app.record.outgoing.rewrapping import rewrap_secrets
    from app.record.privacy import Unreadable
    from app.record.rotating import rewrap_subjects

    with the_record() as record:
        complain(_BEFORE.format(record.keys.wrapping[-1].id), _ELSEWHERE)
        try:
            done = rewrap_subjects(record, record.keys)
            rewrap_secrets(record.database, record.keys)
        except (KeysProblem, Unreadable) as error:
            fail(error)
    out().print(f"{done:,} subjects re-wrapped.")
