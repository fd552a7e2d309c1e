"""The vocabulary: what a request may say, and the names that rules may use for it.

One source for the API's documents, the type checks of the rule language, and what the engine reads.
"""

from app.engine.vocabulary.contacts import Contact
from app.engine.vocabulary.events import AnyEvent, Event
from app.engine.vocabulary.facts import EVENTS, FACTS, SECTIONS, EventKind
from app.engine.vocabulary.outcome import AnswersReport, OutcomeReport
from app.engine.vocabulary.request import LONGEST_HISTORY, DecisionRequest, Sent, SubscriberContext
from app.engine.vocabulary.sections import Section
from app.engine.vocabulary.types import Fact, Kind, LooseValue
from app.engine.vocabulary.words import ActionKind, Channel, Confirmation, Moment, Outcome, Tier

__all__ = [
    "EVENTS",
    "FACTS",
    "LONGEST_HISTORY",
    "SECTIONS",
    "ActionKind",
    "AnswersReport",
    "AnyEvent",
    "Channel",
    "Confirmation",
    "Contact",
    "DecisionRequest",
    "Event",
    "EventKind",
    "Fact",
    "Kind",
    "LooseValue",
    "Moment",
    "Outcome",
    "OutcomeReport",
    "Section",
    "Sent",
    "SubscriberContext",
    "Tier",
]
