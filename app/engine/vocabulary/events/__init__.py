"""The kinds of event, one frozen model each, told apart by `type`."""

from typing import Annotated

from pydantic import Field

from app.engine.vocabulary.events.base import Event, WithoutEcho
from app.engine.vocabulary.events.contact import (
    ConsentChangeEvent,
    ContactEvent,
    EnquiryEvent,
    InboundEvent,
    IntentLeaveEvent,
    PageEvent,
    ReferralEvent,
    RefusalEvent,
    SurveyEvent,
    TransactionFailedEvent,
    VisitEvent,
)
from app.engine.vocabulary.events.line import (
    ActivateEvent,
    ContractEndEvent,
    ContractStartEvent,
    DeviceChangeEvent,
    JoinEvent,
    MoveHomeEvent,
    PlanChangeEvent,
    PortInEvent,
    ResumeEvent,
    RoamingOffEvent,
    RoamingOnEvent,
    SimChangeEvent,
    SuspendEvent,
    UnsubscribeEvent,
)
from app.engine.vocabulary.events.port import (
    PortApplyEvent,
    PortCodeEvent,
    PortDoneEvent,
    PortQueryEvent,
    PortWithdrawEvent,
)
from app.engine.vocabulary.events.service import (
    ComplaintClosedEvent,
    ComplaintEvent,
    FaultEvent,
    FixEvent,
    IncidentEndEvent,
    IncidentStartEvent,
    PromiseEvent,
    PromiseKeptEvent,
    RegulatorAppealEvent,
    UrgeEvent,
)
from app.engine.vocabulary.events.use import (
    BenefitUseEvent,
    BillEnquiryEvent,
    BillEvent,
    OverageEvent,
    OverdueEvent,
    PointsRedeemEvent,
    ThresholdEvent,
    ThrottleEvent,
    TierChangeEvent,
    TopupEvent,
    UseEvent,
)

AnyEvent = Annotated[
    JoinEvent
    | PortInEvent
    | PlanChangeEvent
    | ActivateEvent
    | UnsubscribeEvent
    | SuspendEvent
    | ResumeEvent
    | DeviceChangeEvent
    | SimChangeEvent
    | RoamingOnEvent
    | RoamingOffEvent
    | MoveHomeEvent
    | ContractStartEvent
    | ContractEndEvent
    | UseEvent
    | OverageEvent
    | ThresholdEvent
    | ThrottleEvent
    | BillEvent
    | BillEnquiryEvent
    | TopupEvent
    | OverdueEvent
    | PointsRedeemEvent
    | TierChangeEvent
    | BenefitUseEvent
    | ComplaintEvent
    | UrgeEvent
    | ComplaintClosedEvent
    | RegulatorAppealEvent
    | FaultEvent
    | FixEvent
    | IncidentStartEvent
    | IncidentEndEvent
    | PromiseEvent
    | PromiseKeptEvent
    | EnquiryEvent
    | SurveyEvent
    | IntentLeaveEvent
    | VisitEvent
    | ContactEvent
    | InboundEvent
    | RefusalEvent
    | PageEvent
    | TransactionFailedEvent
    | ReferralEvent
    | ConsentChangeEvent
    | PortQueryEvent
    | PortCodeEvent
    | PortApplyEvent
    | PortWithdrawEvent
    | PortDoneEvent,
    Field(discriminator="type"),
    WithoutEcho(),
]
"""What a request may hold: any one of the kinds."""

__all__ = [
    "ActivateEvent",
    "AnyEvent",
    "BenefitUseEvent",
    "BillEnquiryEvent",
    "BillEvent",
    "ComplaintClosedEvent",
    "ComplaintEvent",
    "ConsentChangeEvent",
    "ContactEvent",
    "ContractEndEvent",
    "ContractStartEvent",
    "DeviceChangeEvent",
    "EnquiryEvent",
    "Event",
    "FaultEvent",
    "FixEvent",
    "InboundEvent",
    "IncidentEndEvent",
    "IncidentStartEvent",
    "IntentLeaveEvent",
    "JoinEvent",
    "MoveHomeEvent",
    "OverageEvent",
    "OverdueEvent",
    "PageEvent",
    "PlanChangeEvent",
    "PointsRedeemEvent",
    "PortApplyEvent",
    "PortCodeEvent",
    "PortDoneEvent",
    "PortInEvent",
    "PortQueryEvent",
    "PortWithdrawEvent",
    "PromiseEvent",
    "PromiseKeptEvent",
    "ReferralEvent",
    "RefusalEvent",
    "RegulatorAppealEvent",
    "ResumeEvent",
    "RoamingOffEvent",
    "RoamingOnEvent",
    "SimChangeEvent",
    "SurveyEvent",
    "SuspendEvent",
    "ThresholdEvent",
    "ThrottleEvent",
    "TierChangeEvent",
    "TopupEvent",
    "TransactionFailedEvent",
    "UnsubscribeEvent",
    "UrgeEvent",
    "UseEvent",
    "VisitEvent",
]
