"""Starting the program proper, in this process: imported only when there is work for it."""

import os
import sys


def program(*words: str) -> int:
    """Run a verb; returns its exit code."""
    from gitops_model.cli import main

    return main(list(words))


def check_staged(*select: str) -> int:
    """`check --staged`, without the parsing of arguments, and silent where there is nothing to say."""
    from gitops_model.cli import guarded
    from gitops_model.cli.context import Context

    def run(context: Context) -> int:
        from gitops_model.pipeline.check import check

        counter = context.counter("reading")
        report = check(context.cwd, context.environ, staged=True, select=select, progress=counter)
        if not report.findings:
            return 0
        from gitops_model.cli.output import exit_code
        from gitops_model.render import Look, render

        context.stdout.write(render("report", "text", report, Look(context.colour(), context.width())))
        return exit_code(report)

    return guarded(run, "check")


def failed(hook: str, why: object) -> int:
    """A hook that could not do its work: say so, and stop the commit (exit 2)."""
    sys.stderr.write(f"gitops-model-hook {hook}: {why}\n")
    return 2


def started_by_hand() -> bool:
    """Whether pre-commit runs outside a commit (`pre-commit run --all-files`, as in CI): git names no index then."""
    return os.environ.get("PRE_COMMIT") == "1" and "GIT_INDEX_FILE" not in os.environ
