"""Does a version move as far as a change asks for? Semantic Versioning 2.0.0, items 4 and 8 to 11.

X.Y.Z are compared, a prerelease counting as the release that it leads to. From one prerelease of X.Y.Z to a later one
is as far as X.Y.Z itself went: X.0.0 allows anything, X.Y.0 what a minor release may do. Under 0.y.z a breaking change
may be a minor bump (item 4 allows anything there; this is what the field does).
"""

from gitops_model.release.versions import Version

PARTS = ("none", "patch", "minor", "major")


def moved(before: Version, after: Version) -> str | None:
    """How far a version went: none, patch, minor, major; None where it went back."""
    if after.precedence < before.precedence:
        return None
    if after.core == before.core:
        if before.is_final or after.precedence == before.precedence:
            return "none"
        return "major" if after.core[1:] == (0, 0) else "minor" if after.core[2] == 0 else "patch"
    for part, old, new in zip(("major", "minor", "patch"), before.core, after.core, strict=True):
        if old != new:
            return part
    return "none"


def enough(before: Version, after: Version, wanted: str) -> bool:
    """Whether the move allows a change that asks for `wanted`. Nothing that asks for nothing is too little."""
    if wanted == "none":
        return True
    found = moved(before, after)
    return found is not None and PARTS.index(found) >= PARTS.index(least(before, wanted))


def least(before: Version, wanted: str) -> str:
    """The part that must move."""
    return "minor" if wanted == "major" and before.core[0] == 0 else wanted


def bumped(before: Version, wanted: str) -> Version:
    """The next version: the first after `before` that allows the change. A prerelease goes on to the next of its own
    where X.Y.Z allows it."""
    part = least(before, wanted)
    if part == "none":
        return before
    if not before.is_final:
        following = Version(before.core, next_pre(before.pre))
        if enough(before, following, wanted):
            return following
    return raised(before, part)


def raised(before: Version, part: str) -> Version:
    """X.Y.Z with one part raised. A prerelease becomes its own release where that raises the part already."""
    major, minor, patch = before.core
    if not before.is_final:
        zeros = {"major": (minor, patch) == (0, 0), "minor": patch == 0, "patch": True}
        if zeros[part]:
            return Version(before.core)
    raised_core = {"major": (major + 1, 0, 0), "minor": (major, minor + 1, 0), "patch": (major, minor, patch + 1)}
    return Version(raised_core[part])


def next_pre(identifiers: tuple[str, ...]) -> tuple[str, ...]:
    """`rc.1` → `rc.2`, `alpha` → `alpha.1`."""
    last = identifiers[-1]
    return (*identifiers[:-1], str(int(last) + 1)) if last.isdigit() else (*identifiers, "1")
