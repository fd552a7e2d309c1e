"""The input of campaigns: files of any size to subscribers as columns, with rejects for the rest, and a mapping to begin with."""

from app.campaign.input.files import Input, InputFile, input_at
from app.campaign.input.proposing import Proposal, Unplaced, propose
from app.campaign.input.rejects import Reject
from app.campaign.input.sampling import Sample, Sampled, samples
from app.campaign.input.seen import Seen
from app.campaign.input.stretches import InputBatch, batches, frame_batches

__all__ = [
    "Input",
    "InputBatch",
    "InputFile",
    "Proposal",
    "Reject",
    "Sample",
    "Sampled",
    "Seen",
    "Unplaced",
    "batches",
    "frame_batches",
    "input_at",
    "propose",
    "samples",
]
