"""Only regular files are read. A FIFO or a device would block or never end; a symbolic link may lead out of the
repository.

Example:

    model.onnx: error GM008 this is a FIFO, not a regular file

Fix: put the file itself there. For a link: `cp --remove-destination "$(readlink -f PATH)" PATH && git add PATH`.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule(
    "GM008",
    "not-a-regular-file",
    Severity.ERROR,
    "a directory, FIFO, device, submodule or symbolic link stands where a file should be",
)


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
