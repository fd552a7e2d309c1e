"""One frozen model per section of a subscriber's context."""

from app.engine.vocabulary.sections.base import CycleSection, Section
from app.engine.vocabulary.sections.line import Account, Contract, Holder, Plan, Services
from app.engine.vocabulary.sections.relation import Care, Cases, Consent, Declared, Digital, Perception, Port
from app.engine.vocabulary.sections.technical import Device, Home, Incident, Network
from app.engine.vocabulary.sections.use import Billing, Now, Pay, Usage
from app.engine.vocabulary.sections.worth import Churn, Points, Value, Vip

__all__ = [
    "Account",
    "Billing",
    "Care",
    "Cases",
    "Churn",
    "Consent",
    "Contract",
    "CycleSection",
    "Declared",
    "Device",
    "Digital",
    "Holder",
    "Home",
    "Incident",
    "Network",
    "Now",
    "Pay",
    "Perception",
    "Plan",
    "Points",
    "Port",
    "Section",
    "Services",
    "Usage",
    "Value",
    "Vip",
]
