"""Enumerations that several sections, events and the request share. A word means the same everywhere."""

from typing import Literal

Channel = Literal[
    "call_centre",
    "robot",
    "outbound_call",
    "video_desk",
    "app",
    "web",
    "sms_service",
    "sms_marketing",
    "shop",
    "account_manager",
    "field",
    "social",
    "email",
]

Moment = Literal[
    "onboarding",
    "first_bill",
    "plan_change",
    "downgrade_request",
    "unsubscribe_request",
    "fault",
    "complaint",
    "bill_shock",
    "contract_end",
    "move_home",
    "suspension",
    "roaming",
    "leave_intent",
    "cancel_request",
    "port_intent",
    "port_out",
]

ContactReason = Literal[
    "bill",
    "balance",
    "usage",
    "plan_change",
    "downgrade",
    "unsubscribe",
    "fault",
    "complaint",
    "urge",
    "roaming",
    "suspend",
    "resume",
    "contract",
    "invoice",
    "transfer_of_ownership",
    "points",
    "broadband_install",
    "move",
    "port_info",
    "cancel",
    "other",
]

ComplaintTopic = Literal["billing", "unsolicited", "network", "broadband", "service_attitude", "contract", "refund", "harassment"]

LeaveReason = Literal["price", "coverage", "service", "unsolicited", "harassment", "moved", "other_number", "rival_bundle", "not_said"]

ActionKind = Literal["offer", "service", "care", "information", "escalation"]
Outcome = Literal["shown", "sent", "accepted", "refused", "ignored", "activated", "stayed", "left"]
Confirmation = Literal["none", "readback", "double", "holder"]
Consented = Literal["yes", "no", "unknown"]
ContractKind = Literal["none", "handset", "fee_rebate", "broadband", "number"]
DeviceGeneration = Literal["3g", "4g", "5g"]
Tier = Literal["none", "standard", "silver", "gold", "diamond"]
