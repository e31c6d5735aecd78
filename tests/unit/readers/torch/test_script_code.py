"""TorchScript's serialized code: parsed, not run; names without mangling; operations as torch counts them."""

from collections import Counter
from pathlib import Path

import pytest

from gitops_model.blob import Blob, NoSource
from gitops_model.diff.graph import nodes
from gitops_model.readers import read_model
from gitops_model.readers.torch.script_code import mangling, parse_code, plain

DATA = Path(__file__).parents[3] / "data" / "torch"

COUNTED = {
    "script.pt": {
        "linear": 1,
        "batch_norm": 1,
        "dim": 3,
        "ne": 2,
        "add_": 1,
        "size": 1,
        "len": 1,
        "sub": 1,
        "add": 1,
        "mul": 1,
        "eq": 1,
    },
    "frozen.pt": {"linear": 1, "dim": 1, "ne": 2, "format": 1},
}
"""`aten` operations of the inlined graph of `forward`, counted with torch 2.13 (without error messages)."""


@pytest.mark.parametrize("name", COUNTED)
def test_operations_are_those_that_torch_counts(name: str) -> None:
    with Blob.of_file(DATA / name) as blob:
        found = Counter(node.op_type for node in nodes(read_model(blob, NoSource())))
    assert {op: found[f"torch.{op}"] for op in COUNTED[name]} == COUNTED[name]


CODE = """\
class Net(Module):
  __parameters__ = ["w", ]
  w : Tensor
  inner : __torch__.{inner}.Inner
  def forward(self: __torch__.{outer}.Net,
    x: Tensor) -> Tensor:
    inner = self.inner
    y = torch.mul((inner).forward(x, ), self.w)
    if torch.gt(torch.len(x), {limit}):
      z = torch.relu(y)
    else:
      z = y
    return z
"""


def code(number: int, limit: int = 2) -> dict[str, str]:
    mangled = f"___torch_mangle_{number}"
    return {f"__torch__.{mangled}": CODE.format(inner=mangled, outer=mangled, limit=limit)}


def graph_of(sources: dict[str, str]) -> object:
    parsed = parse_code(sources)
    assert parsed.problems == []
    ((_, method),) = parsed.methods.items()
    graph = method.graph
    plain_nodes = tuple(node._replace(overload="") for node in graph.nodes)
    return graph._replace(nodes=plain_nodes), method.results


def test_numbers_of_mangling_change_nothing() -> None:
    assert graph_of(code(1)) == graph_of(code(237))


def test_one_changed_constant_is_another_graph() -> None:
    assert graph_of(code(1, limit=2)) != graph_of(code(1, limit=3))


def test_plain_and_mangling_take_a_name_apart() -> None:
    name = "__torch__.torch.nn.___torch_mangle_12.Linear"
    assert plain(name) == "__torch__.torch.nn.Linear"
    assert mangling(name) == ".___torch_mangle_12"
    assert (plain("__torch__.Net"), mangling("__torch__.Net")) == ("__torch__.Net", "")


@pytest.mark.parametrize("text", ["def f(:", "x = " + "(" * 10_000, "\0", "class A(:\n  pass"])
def test_what_is_no_code_is_a_problem_and_no_error(text: str) -> None:
    parsed = parse_code({"__torch__.broken": text, **code(1)})
    assert [problem.code for problem in parsed.problems] == ["GM002"]
    assert len(parsed.methods) == 1
