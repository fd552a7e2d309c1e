"""Signatures as Standard Webhooks has them, and secrets that open for one callback only."""

import base64
import dataclasses
import datetime

import pytest

from app.record.keys import Keys, rotated
from app.record.outgoing.secrets import locked, new_secret, secret_digest, shown, unlocked
from app.record.outgoing.signing import signed
from app.record.privacy import Unreadable

pytestmark = pytest.mark.unit

SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
AT = datetime.datetime.fromtimestamp(1614265330, datetime.UTC)
PUBLISHED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
"""Of the example that the published libraries of Standard Webhooks are tested with."""


def test_published_example() -> None:
    """The example of the specification's libraries is signed as they sign it."""
    made = signed([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", AT, b'{"test": 2432232314}')
    assert made == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": PUBLISHED,
    }


def test_several_secrets_sign_side_by_side() -> None:
    """Each secret that is valid signs, the newest first, so that whoever knows one of them can check."""
    both = signed([b"new" * 10, SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", AT, b'{"test": 2432232314}')["webhook-signature"].split()
    assert both[1] == PUBLISHED
    assert len(both) == 2
    assert both[0] != both[1]


def test_a_secret_is_shown_as_the_standard_has_it() -> None:
    """`whsec_` and base64 of 32 bytes, random each time."""
    secret = new_secret()
    assert base64.b64decode(shown(secret).removeprefix("whsec_")) == secret
    assert len(secret) == 32
    assert secret != new_secret()
    assert secret_digest(secret).startswith("sha256:")


def test_a_secret_opens_for_its_callback_only(keys: Keys) -> None:
    """Who changes the callback in the store finds that nothing can be signed for it any more."""
    secret = new_secret()
    kept, key_id = locked(keys, secret, "w-1", "https://crm.example/a")
    assert unlocked(keys, kept, key_id, "w-1", "https://crm.example/a") == secret
    assert secret not in kept
    for webhook, callback in (("w-1", "https://evil.example/a"), ("w-2", "https://crm.example/a")):
        with pytest.raises(Unreadable):
            unlocked(keys, kept, key_id, webhook, callback)


def test_a_secret_survives_a_rotation_of_the_wrapping_key(keys: Keys) -> None:
    """A secret that an older key wraps is opened with that one; new secrets are wrapped with the newest."""
    kept, key_id = locked(keys, b"s" * 32, "w-1", "https://crm.example/a")
    later = dataclasses.replace(rotated(keys, "wrapping", AT), source=keys.source)
    assert unlocked(later, kept, key_id, "w-1", "https://crm.example/a") == b"s" * 32
    assert locked(later, b"s" * 32, "w-1", "https://crm.example/a")[1] != key_id
