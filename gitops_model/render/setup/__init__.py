"""What `init --hooks` did (`Step`), and how a repository is set up (`Health`)."""

from typing import NamedTuple


class Step(NamedTuple):
    """One thing that was set up. `state`: changed, kept (it was so already), or left (`detail` says why)."""

    state: str
    part: str
    detail: str


class Fact(NamedTuple):
    """One thing that `doctor` looked at. `state`: ok, missing, wrong, or optional (fine without)."""

    state: str
    part: str
    detail: str
    command: str | None = None
    """What mends it, or adds what is optional."""


class Health(NamedTuple):
    facts: tuple[Fact, ...]

    @property
    def is_well(self) -> bool:
        return not any(fact.state in {"missing", "wrong"} for fact in self.facts)
