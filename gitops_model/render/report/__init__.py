"""Findings of a run (`finding.Report`): for a terminal, for scripts, for a comment, for code scanning, for Actions."""

from gitops_model.finding import Finding, Report, Severity


def place(finding: Finding) -> str:
    """`path:line:column`, as far as it is known."""
    parts = [finding.path, *(str(number) for number in (finding.line, finding.column) if number is not None)]
    return ":".join(parts)


def tally(report: Report) -> str:
    """`1 error, 2 warnings in 3 manifests and 4 model files`."""
    counts = {level: sum(finding.severity is level for finding in report.findings) for level in Severity}
    found = [counted(counts[level], level.label) for level in sorted(Severity, reverse=True) if counts[level]]
    nouns = ((report.manifests, "manifest"), (report.files, "model file"))
    seen = [counted(number, noun) for number, noun in nouns if number]
    if not seen and not found:
        return "nothing to check"
    return f"{', '.join(found) or 'no findings'}{' in ' if seen else ''}{' and '.join(seen)}"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
