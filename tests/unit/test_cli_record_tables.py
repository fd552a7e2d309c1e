"""What a search finds, as rows for a terminal: by titles in both languages, every kind of entry in words."""

from __future__ import annotations

import io
from typing import Any

import pytest

from app.cli.breaking import Page as Screen
from app.cli.record_tables import found
from app.engine.texts import Language
from app.record.search.finding import Hit, Page
from tests.pipeline import shipped

pytestmark = pytest.mark.unit
ID = "01a20721-aa5a-7502-939a-5ddb954e25f4"
AT = "2026-11-23T06:39:00.000000+00:00"
DECISION = {
    "caller": "desk",
    "channel": "app",
    "phase": "hands_off",
    "offered": [{"action": "port_help", "rank": 1}, {"action": "farewell", "rank": 2}],
}


def said(kind: str, body: dict[str, Any], language: Language, *, pack: bool = True) -> str:
    page = Page((Hit(1, ID, AT, {"kind": kind, "body": body}),), None, 1)
    screen = Screen(width=140, file=io.StringIO(), highlight=False)
    for part in found(page, shipped() if pack else None, language):
        screen.print(part)
    return " ".join(screen.file.getvalue().split())  # type: ignore[attr-defined]


def test_actions_and_phases_by_their_titles_in_both_languages() -> None:
    """The same rows say the same; where no pack is to be had, the codes."""
    assert "Help with porting the number, Farewell desk" in said("decision", DECISION, "en")
    assert "app · Hands off" in said("decision", DECISION, "en")
    assert "携转协助、离网告别" in said("decision", DECISION, "zh")
    assert "App · 不介入" in said("decision", DECISION, "zh")
    for language in ("en", "zh"):
        text = said("decision", DECISION, language, pack=False)  # type: ignore[arg-type]
        assert all(code in text for code in ("port_help", "farewell", "hands_off"))
        assert "port_help" not in said("decision", DECISION, language)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "body", "english", "chinese"),
    [
        ("choice", {"choice": "no_marketing", "step": "made"}, "no offers and no advertising", "不接收营销信息"),
        (
            "choice",
            {"choice": "no_channel", "about": "sms_marketing", "step": "taken_back"},
            "no unsolicited contact through marketing SMS taken back",
            "不通过营销短信主动联系 已撤回",
        ),
        ("choice", {"choice": "no_action", "about": "tariff_pack", "step": "made"}, "don’t suggest again: International", "不再推荐：国际"),
        ("recheck", {"action": "tariff_pack", "may_send": True}, "International calling pack may go out", "国际及港澳台通话包 可以发送"),
        ("recheck", {"may_send": False, "cause": "suppressed", "clause": "sms_cap"}, "kept back (sms_cap)", "不得发送（sms_cap）"),
        ("recheck", {"may_send": False, "cause": "already_sent"}, "kept back", "不得发送"),
        ("caller_changed", {"change": "revoked", "name": "desk"}, "revoked desk", "吊销 desk"),
        ("webhook_changed", {"change": "secret"}, "new secret", "更换密钥"),
        ("hold", {"step": "released"}, "released", "已解除"),
    ],
)
def test_other_entries_in_words(kind: str, body: dict[str, Any], english: str, chinese: str) -> None:
    """No code is left where there are words for it."""
    assert english in said(kind, body, "en")
    assert chinese in said(kind, body, "zh")
