"""The GM5 codes: why a release is not tagged, or a tag is not believed. `explain` prints the pages."""

from typing import NamedTuple

from gitops_model.finding import Finding, Rule, Severity


class Code(NamedTuple):
    """A code, its kebab-case name, a line for tables, and the page that `explain` prints."""

    code: str
    name: str
    summary: str
    page: str
    severity: Severity = Severity.ERROR

    @property
    def rule(self) -> Rule:
        return Rule(self.code, self.name, self.severity, self.summary)


CODES = {
    row.code: row
    for row in (
        Code(
            "GM501",
            "tag-not-monotonic",
            "a version that is not newer than those that are tagged",
            "Versions of one model rise: whoever sorts the tags must find the newest release last. Tags of other "
            "tools count too (NAME@vX.Y.Z, NAME-vX.Y.Z). Take the next version; for a fix of an older line, from a "
            "commit that does not have the newer release in its history, say --maintenance.",
        ),
        Code(
            "GM502",
            "tag-moved",
            "a tag is on another commit than it was, or than it says",
            "A release is a name for bytes, once and for ever: whoever fetched it before keeps the old ones, since git "
            "does not update tags. The tag exists on another commit, the push replaced one, or the blob ids in its "
            "message are not those of its commit. Make a new candidate instead, and forbid updates of model/** tags "
            "with a ruleset.",
        ),
        Code(
            "GM503",
            "dirty-tree",
            "tracked files differ from the commit that would be tagged",
            "What is tested here would not be what is tagged. Commit the changes or stash them.",
        ),
        Code(
            "GM504",
            "blob-mismatch",
            "the files of a release are not those of its candidate",
            "The candidate was checked on the GPUs, and its check counts only for the same bytes: each file that the "
            "manifest lists must have the same blob id. Make a new candidate of what is there now.",
        ),
        Code(
            "GM505",
            "no-candidate",
            "a release without a candidate that was checked",
            "A final tag is not run on GPUs again: it stands for the files of its last candidate, X.Y.Z-rc.N. Without "
            "one nothing says that they ran anywhere. `gitops-model tag` warns; the gate refuses.",
        ),
        Code(
            "GM506",
            "tag-version-mismatch",
            "the manifest has another version or name than the tag",
            "A candidate X.Y.Z-rc.N and its release are of a manifest that says X.Y.Z (or, for the candidate, "
            "X.Y.Z-rc.N). Write the version that is meant into the manifest, and commit it.",
        ),
        Code(
            "GM507",
            "bad-tag-name",
            "a tag that names no release, or that git cannot hold beside another",
            "Releases are tagged model/NAME/vX.Y.Z or model/NAME/vX.Y.Z-rc.N. A tag model/NAME would make that a "
            "folder and a tag at once: delete or rename it.",
        ),
        Code(
            "GM508",
            "tag-not-annotated",
            "a release tag without the block that says what it is",
            "A tag that was made with plain `git tag`, or whose message does not end in the trailers that "
            "`gitops-model tag` writes, states no files: it cannot be compared with its commit. Make the tag with "
            "`gitops-model tag`.",
        ),
        Code(
            "GM510",
            "gate-not-passed",
            "a model changes whose files did not pass the GPU gate",
            "The merge queue trusts one thing: the commit status gitops-model/gpu, from its expected source, on the "
            "commit of a candidate whose blob ids are those of the change. Tag a candidate of these files and wait "
            "for the gate.",
        ),
    )
}
"""The reasons that there are, by code."""


def finding(code: str, path: str, message: str, *, found: str | None = None, hint: str | None = None) -> Finding:
    row = CODES[code]
    hint = hint or f"gitops-model explain {code}"
    return Finding(row.code, row.name, row.severity, path, message, found=found, hint=hint)


def warning(code: str, path: str, message: str, hint: str | None = None) -> Finding:
    """The same, where it is for people to decide."""
    return finding(code, path, message, hint=hint)._replace(severity=Severity.WARNING)
