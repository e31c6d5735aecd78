"""`diff` of files of which only the bytes as a whole are known."""

import pickle
from pathlib import Path

from support.program import Program
from support.rebuild import rebuilt, told


def test_another_pickle_of_the_same_size_is_another_model(cli: Program, tmp_path: Path) -> None:
    for name, number in (("a.pkl", 1), ("b.pkl", 2)):
        (tmp_path / name).write_bytes(pickle.dumps({"weights": number}, protocol=4))
    before, after = (cli("show", name, "--format", "json", cwd=tmp_path, check=0).json() for name in ("a.pkl", "b.pkl"))
    diff = cli("diff", "--no-index", "a.pkl", "b.pkl", "--format", "json", cwd=tmp_path, check=0).json()
    verdict = diff["verdict"]
    assert (verdict["kind"], verdict["bump"], verdict["equivalent"]) == ("weights-only", "patch", False)
    assert verdict["reasons"][0] == "the content changed"
    assert rebuilt(before, diff) == told(after)
