"""Digests are lower-case hexadecimal: `sha256` and `blake3` 64 digits, `sha512` 128. No other algorithm is taken.

Why: MD5 and SHA-1 no longer identify a file, and two spellings of one digest make comparing harder than it need be.

Example:

    model.yaml:6:13: error GM109 a sha256 digest has 64 digits, not 63

Fix: `sha256sum FILE`, or write 64 zeros and let `gitops-model check --fix MANIFEST` fill them in.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM109", "bad-checksum", Severity.ERROR, "a checksum has the wrong length, alphabet or algorithm")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
