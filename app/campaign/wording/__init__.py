"""The words of a whole batch, for what is on the lists: the same as `explain` gives for each subscriber, as the role `campaign` sees it.

Nothing that a pack marks as restricted is kept from that role, so that there is nothing to leave out.
"""

from app.campaign.wording.batches import Worded, word_batch

__all__ = ["Worded", "word_batch"]
