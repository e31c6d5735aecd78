"""What is generated from the program is what the program says today."""

import importlib.util
from types import ModuleType

import pytest
from support.wheel import ROOT


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_generated_file_is_current(generate: ModuleType) -> None:
    assert generate.stale() == []
