"""A file that is cut short or damaged has another digest too: that is one trouble, and is told once."""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.finding import Finding

DAMAGE = frozenset(("GM001", "GM002", "GM004"))
"""Cut short, contradicting itself, something else than its name says."""


def told_once(findings: list[Finding], facts: Facts) -> Iterator[Finding]:
    """The findings on a subject, without GM201 for a file whose damage is told, at least as severely.

    What the damage is says more than that there is some, and the fix that GM201 names, new digests, would be wrong. The
    damage says instead that the manifest means another file. Where nobody hears of the damage (it is ignored, not
    selected, or only a warning), GM201 stays.
    """
    mismatches = {(one.line, one.column): one for one in findings if one.code == "GM201"}
    if facts.manifest is None or not mismatches:
        yield from findings
        return
    dropped: set[Finding] = set()
    damaged: set[str] = set()
    for file in facts.files:
        told = [one.severity for one in findings if one.path == file.path and one.code in DAMAGE]
        listed = facts.manifest.checksums.get(file.listed)
        if file.model is not None or not told or listed is None:
            continue
        places = [(digest.place.line, digest.place.column) for digest in listed.digests]
        gone = {mismatches[at] for at in places if at in mismatches and mismatches[at].severity <= max(told)}
        dropped |= gone
        damaged |= {file.path} if gone else set()
    for one in findings:
        if one.path in damaged and one.code in DAMAGE:
            yield one._replace(message=f"{one.message}; the manifest states the digest of another file")
        elif one not in dropped:
            yield one
