"""The base of every model here, and the titles of its fields."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Model(BaseModel):
    """Frozen, closed to unknown fields, and silent about the values it refuses: they may be personal."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def fact(
    en: str, zh: str, note: str = "", *, default: Any = None, protected: bool = False, restricted: str = "", computed: bool = False
) -> Any:
    """A field that rules may read, with its title in English and its term in Chinese.

    Args:
        en: The title in documents and error messages.
        zh: The Chinese term.
        note: What a reader of the API should know besides.
        default: What the field is when left out; None is unknown.
        protected: May not reach gates, propensity, value or concession of offers, nor the phase.
        restricted: Tells of `risk`; not everybody who is answered sees it.
        computed: Worked out by the engine; never dumped, since it may not be passed back.
    """
    description = f"{zh}。{note[0].upper()}{note[1:]}." if note else f"{zh}。"
    extra: dict[str, JsonValue] = {
        "x-zh": zh,
        **({"x-protected": True} if protected else {}),
        **({"x-restricted": restricted} if restricted else {}),
    }
    return Field(default, title=en, description=description, json_schema_extra=extra, exclude=computed or None)
