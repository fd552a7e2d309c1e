"""Requests as they look in practice, for the API's documents."""

from pydantic import JsonValue

_COMPLAINT: dict[str, JsonValue] = {
    "channel": "call_centre",
    "moment": "complaint",
    "direction": "inbound",
    "reason": "complaint",
    "caller_relation": "holder",
    "verified": "sms",
    "locale": "zh-CN",
    "subscriber": {
        "id": "s-1001",
        "account": {"status": "active", "tenure_months": 62, "line_type": "main", "payer": "self"},
        "plan": {"id": "plan_129", "monthly_fee": 12900, "voice_minutes": 500, "data_mb": 30720, "min_commitment": 12900},
        "usage": {"voice_out_min": [61, 58, 47], "data_mb": [9216, 8805, 7164]},
        "billing": {"total": [13900, 14250, 15120], "toll_fee": [900, 1250, 2120]},
        "contract": {"commitment_end": None},
        "cases": {"open_complaints": 1, "complaint_days": 2, "complaint_topic": "billing", "id": "C-20261120-17"},
        "consent": {"marketing": "yes", "refused_channels": ["outbound_call"]},
        "events": [{"type": "complaint", "at": "2026-11-20T09:12:00+08:00", "topic": "billing", "case": "C-20261120-17"}],
        "contacts": [],
    },
}

_SELF_SERVICE: dict[str, JsonValue] = {
    "channel": "app",
    "direction": "self",
    "locale": "en",
    "max_actions": 2,
    "mode": "what_if",
    "as_of": "2026-11-22T10:00:00+08:00",
    "answers": {"home.has_broadband": True},
    "subscriber": {
        "id": "s-1002",
        "zone": "Asia/Shanghai",
        "account": {"status": "active", "tenure_months": 9, "pay_mode": "prepaid"},
        "plan": {"id": "plan_59", "monthly_fee": 5900, "data_mb": 20480},
        "now": {"day_of_cycle": 22, "days_in_cycle": 30, "data_used_share": 0.94},
        "services": {"held": ["music_pack", "toll_pack"], "paid_unused_count": 1, "paid_unused_fee": 800},
        "consent": {"marketing": "yes", "personalised": "yes"},
        "events": [],
        "contacts": [{"at": "2026-11-02T15:20:00+08:00", "channel": "sms_marketing", "kind": "offer", "result": "ignored"}],
    },
}

EXAMPLES: list[JsonValue] = [_COMPLAINT, _SELF_SERVICE]
