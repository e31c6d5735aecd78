"""Merging two versions of weights, three-way by tensor: what only one side changed is taken from that side.

    merge(base, ours, theirs) -> Decision      (decide.py) which side each tensor and each key of the metadata is from
    write(decision, sides, out)                 (write.py)  the file, the same bytes whichever side is called ours

What both changed, each in its own way, is a conflict. Nothing is averaged, and nothing is left out silently.
"""
