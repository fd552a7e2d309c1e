"""Every code of a finding about a pack, with what it means in a sentence. Codes are stable: editors, forges and people's notes name them."""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, str] = {
    # Files
    "missing": "a pack, or a part that every pack has, is not there",
    "pack-too-large": "the pack has more files, values or bytes than a pack may have",
    "file-too-large": "a file has more bytes or values than a file may have",
    "file-too-deep": "values are nested deeper than 16",
    "empty-file": "a file holds nothing",
    "encoding": "a file is not UTF-8 text",
    "yaml": "a file is not YAML",
    "yaml-subset": "an anchor, alias, tag or other construct that packs do without",
    "duplicate-key": "a key stands twice in one mapping",
    "schema": "a key is unknown, missing or wrongly filled",
    "duplicate-id": "two parts have the same id",
    "duplicate-part": "a part of which there is one stands twice",
    "split-table": "a table whose order matters stands in two files",
    "too-many": "there are more mistakes than are told",
    # Expressions
    "syntax": "a text is not an expression",
    "expression": "an expression uses what is outside the rule language",
    "expression-too-long": "an expression has more than 2,000 characters",
    "expression-too-deep": "an expression is nested deeper than 40",
    "unknown-name": "a name that does not exist",
    "unknown-function": "a function that does not exist",
    "unknown-word": "a word that the enumeration, unit or list does not have",
    "scope": "a name that exists but may not be used at this place",
    "type": "a value of another type than the place needs",
    "arguments": "a function has the wrong arguments or filters",
    "number-too-large": "a number, or a result, is larger than can be exact",
    "cycle": "a fact or signal depends on itself",
    "pattern": "a join of events that cannot be matched",
    "patterns": "the patterns do not compile together",
    "pattern-order": "the condition of a pattern rests on another pattern",
    # What a pack says
    "slot": "a slot of a text names nothing, or has a format that does not fit",
    "question": "a question about a fact that may not be asked",
    "offer-without-tariff": "an offer names no published tariff",
    "protected": "a protected fact decides what it may not",
    "unreachable": "a table is not in the order it needs",
    # What never comes into play
    "never-holds": "a condition that no subscriber can meet",
    "always-holds": "a condition that every subscriber meets",
    "hidden-level": "a level that a stronger one hides: it holds whenever the weaker does",
    "hidden-row": "a row, stage, phase or moment that those before it hide",
    "excluding-clauses": "clauses of one action that exclude each other, so that it is never offered",
    "subsumed-clause": "a clause that does nothing beside another one",
    "duplicate-clause": "a clause that says the same as another one",
    "duplicate-signal": "two signals that hold for the same people",
    "unreachable-action": "an action that no phase, channel, contact clause or guardrail lets through",
    "closed-channel": "a channel on which an action is never permitted",
    "empty-phase": "a phase to which no action belongs",
    "idle-relevance": "a moment's relevance for a category that no action has",
}
"""Code to meaning: lower case, no final stop."""
