"""The digest of what a verdict rests on."""

import pytest
from support.machines import MACHINE, machine, release

from gitops_model.gpu import digest
from gitops_model.gpu.digest import facts_digest


def test_it_names_facts_and_not_words() -> None:
    first = facts_digest(release(), MACHINE)
    assert first == facts_digest(release(name="other"), {**MACHINE, "name": "x", "problems": ["y"], "sources": ["z"]})
    assert first == facts_digest(dict(reversed(release().items())), MACHINE)


def test_any_fact_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first = facts_digest(release(), MACHINE)
    others = {
        facts_digest(release(memory_mib=1), MACHINE),
        facts_digest(release(), machine(driver="550.54.16")),
        facts_digest(release(), machine(gpu={"memory_mib": 1})),
        facts_digest({**release(), **MACHINE}, {}),
    }
    monkeypatch.setattr(digest, "_tables", lambda: b"other")
    others.add(facts_digest(release(), MACHINE))
    assert len({first, *others}) == 6


def test_a_profile_counts_as_what_it_supplies() -> None:
    from gitops_model.gpu.profiles import profile

    assert facts_digest(release(), {"profile": "l4"}) == facts_digest(release(), profile("l4"))
