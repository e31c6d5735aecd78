"""`tag` as lines for $GITHUB_OUTPUT. Every value is a word: what holds a line break never gets here."""

from gitops_model.render import Look
from gitops_model.render.tag import Outcome


def render(outcome: Outcome, _: Look) -> str:
    block = outcome.block
    fields = {
        "state": outcome.state,
        "tag": outcome.tag,
        "name": outcome.name,
        "release": outcome.version,
        "commit": outcome.commit or "",
        "manifest": "" if block is None else block.manifest,
        "candidate": "true" if "-" in outcome.version else "false",
    }
    return "".join(f"{key}={value}\n" for key, value in fields.items() if value.isprintable())
