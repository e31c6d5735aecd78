"""The GM5 codes: each whole, each explained."""

import re

from gitops_model import checks
from gitops_model.gpu.reasons import CODES as GPU
from gitops_model.pipeline.explain import page
from gitops_model.release.reasons import CODES


def test_every_code_is_whole_and_explained() -> None:
    assert not set(CODES) & {*checks.CHECKS, *GPU}
    assert len({row.name for row in CODES.values()}) == len(CODES)
    for code, row in CODES.items():
        assert code == row.code
        assert re.fullmatch(r"GM5[0-9]{2}", code)
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", row.name)
        assert not row.summary.endswith(".")
        assert len(row.page) > 80
        assert " ".join(row.page.split()) in " ".join(page(row.name).split())
