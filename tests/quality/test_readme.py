"""The README tells of everything that a user can name."""

import re
from pathlib import PurePosixPath

import pytest
import yaml
from support.wheel import ROOT, tracked_files

README = (ROOT / "README.md").read_text(encoding="utf-8")
HOOKS = [hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_in_the_example_and_in_the_table(hook: str) -> None:
    assert f"- id: {hook}\n" in README
    assert f"| `{hook}` |" in README


@pytest.mark.parametrize("page", [name for name in tracked_files() if name.endswith(".md")])
def test_links_lead_somewhere(page: str) -> None:
    folder = PurePosixPath(page).parent
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text):
        if "://" not in target:
            assert (ROOT / folder / target).exists(), target


@pytest.mark.parametrize("target", re.findall(r"^\$ make ([a-z-]+)", README, re.MULTILINE))
def test_every_make_target_that_it_names_is_there(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
