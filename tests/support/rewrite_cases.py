"""The cases of known rewrites: tests/cases/rewrites/PATTERN/good|bad/NAME.txt, each a pair of models in ONNX's text.

    A sentence or more that says what the case is about.

    opset: 13 -> 18
    rewrites: gelu 1 rounded
    === before
    (float[N] x) => (float[N] y) { … }
    === after
    …

Keys: `opset` (default 17, of one side or both), `rewrites` (good cases: what the diff must name, exactly), `sizes`
(what symbols are bound to when the pair is run, `N=1`), `reals` (good: why values that are no real numbers are left
out), `unequal` (bad: why the pair is not called equivalent although it cannot be seen to differ), `named` (bad: why the
rewrite is named all the same), and `file NAME` (bytes of a file beside the models, in hex). `com.microsoft` and `local`
are imported by both.
"""

from pathlib import Path
from typing import NamedTuple

import onnx.parser
from onnx import ModelProto, external_data_helper

from gitops_model.blob import Blob
from gitops_model.diff.result import Side
from gitops_model.pipeline.load import Opened, describe

CASES = Path(__file__).parents[1] / "cases" / "rewrites"
KEYS = {"opset", "rewrites", "sizes", "reals", "unequal", "named"}


class Beside:
    """The files beside the models of a case."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def open(self, path: str) -> Blob:
        return Blob.of_bytes(path, self.files[path])


class Case(NamedTuple):
    path: Path
    text: str
    keys: dict[str, str]
    graphs: tuple[str, str]

    @property
    def name(self) -> str:
        return f"{self.path.parts[-3]}-{self.path.stem}"

    @property
    def pattern(self) -> str:
        return self.path.parts[-3]

    @property
    def good(self) -> bool:
        return self.path.parts[-2] == "good"

    @property
    def sizes(self) -> dict[str, int]:
        pairs = (item.partition("=") for item in self.keys.get("sizes", "").split())
        return {name: int(size) for name, _, size in pairs}

    @property
    def rewrites(self) -> list[str]:
        return [item.strip() for item in self.keys.get("rewrites", "").split(",") if item.strip()]

    def files(self) -> dict[str, bytes]:
        return {k.removeprefix("file "): bytes.fromhex(v) for k, v in self.keys.items() if k.startswith("file ")}

    def protos(self) -> tuple[ModelProto, ModelProto]:
        """As the text has them: external data stays outside."""
        first, arrow, second = self.keys.get("opset", "17").partition("->")
        opsets = (int(first), int(second if arrow else first))
        return proto(self.graphs[0], opsets[0]), proto(self.graphs[1], opsets[1])

    def runnable(self, folder: Path) -> tuple[ModelProto, ModelProto]:
        """With external data read in."""
        for name, content in self.files().items():
            (folder / name).write_bytes(content)
        made = self.protos()
        for model in made:
            external_data_helper.load_external_data_for_model(model, str(folder))
        return made

    def sides(self) -> tuple[Side, Side]:
        one, other = (side_of(model, self.files()) for model in self.protos())
        return one, other


def proto(graph: str, opset: int) -> ModelProto:
    imports = f'"" : {opset}, "com.microsoft" : 1, "local" : 1'
    return onnx.parser.parse_model(f"<ir_version: {8 if opset < 19 else 10}, opset_import: [{imports}]> main {graph}")


def side_of(model: ModelProto, files: dict[str, bytes]) -> Side:
    return describe(Opened(Blob.of_bytes("m.onnx", model.SerializeToString()), Beside(files)))


def read(path: Path) -> Case:
    content = path.read_text(encoding="utf-8")
    head, _, graphs = content.partition("=== before\n")
    before, _, after = graphs.partition("=== after\n")
    assert before, f"{path}: no graph before"
    assert after, f"{path}: no graph after"
    text, _, rest = head.partition("\n\n")
    keys: dict[str, str] = {}
    for line in rest.strip().splitlines():
        key, _, value = line.partition(":")
        assert key in KEYS or key.startswith("file "), f"{path}: unknown key {key}"
        assert key not in keys, f"{path}: {key} is there twice"
        keys[key] = value.strip()
    return Case(path, text.replace("\n", " ").strip(), keys, (before, after))


def update(case: Case, rewrites: list[str]) -> None:
    """Write what the diff names into a good case."""
    content = case.path.read_text(encoding="utf-8")
    line = f"rewrites: {', '.join(rewrites)}\n"
    old = next((row for row in content.splitlines(keepends=True) if row.startswith("rewrites:")), None)
    made = content.replace(old, line, 1) if old else content.replace("=== before\n", f"{line}=== before\n", 1)
    case.path.write_text(made, encoding="utf-8")


def walk(kind: str = "*") -> list[Case]:
    return [read(path) for path in sorted(CASES.glob(f"*/{kind}/*.txt"))]
