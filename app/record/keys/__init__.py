"""The keys of a log: what signs its checkpoints, wraps the keys of its subjects, and finds a subject by id."""

from app.record.keys.file import load_keys, rotate_file, save_keys
from app.record.keys.model import KEY_BYTES, Keys, SigningKey, WrappingKey, new_keys, public_half, rotated
from app.record.keys.problems import KeysProblem, UnknownKey
from app.record.keys.text import keys_of, text_of

__all__ = [
    "KEY_BYTES",
    "Keys",
    "KeysProblem",
    "SigningKey",
    "UnknownKey",
    "WrappingKey",
    "keys_of",
    "load_keys",
    "new_keys",
    "public_half",
    "rotate_file",
    "rotated",
    "save_keys",
    "text_of",
]
