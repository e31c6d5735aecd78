"""A difference of models in which every text is one name, those included that no real one would hold there."""

from gitops_model.diff.measured import Layer, Pattern, Statistics
from gitops_model.diff.prefix import Prefix
from gitops_model.diff.probe import Probe, ProbedInput, ProbedOutput
from gitops_model.diff.result import (
    AttributeChange,
    Box,
    Edge,
    GraphDiff,
    ModelDiff,
    Neighbourhood,
    NodeChange,
    Rewrite,
    SignatureDiff,
    TensorChange,
    TensorFact,
    TextDiff,
    ValueChange,
    Verdict,
    WeightsDiff,
)
from gitops_model.errors import Problem
from gitops_model.ir import TensorType, Value
from gitops_model.render.diff import Compared, FileDiff


def probed(name: str) -> Probe:
    output = ProbedOutput(
        (name, name + "x"), ("float32[2]", "float32[2]"), 0.5, 0.5, 0.5, 1, 1, agrees=False, note=name
    )
    return Probe(
        "1.2.3",
        2,
        (0, 1),
        ({name: 2}, {name: 3}),
        1e-3,
        (ProbedInput((name, None), ("float32", ""), name),),
        (output, output._replace(agrees=True), output._replace(agrees=None, names=(None, name))),
        (name,) * 4,
    )


def compared(name: str) -> Compared:
    """Two files: one with a change of every kind, one that cannot be read."""
    value = Value(name, TensorType("float32", (name,)))
    change = ValueChange(name, "renamed", "real", value, value, "major", f"input {name} was renamed to {name}")
    fact = TensorFact(name, "float32", (2,), 8, "0" * 64)
    old = fact._replace(name=f"{name}.{name}")
    some = f"x{name}"  # what has no name has a line less
    edit = AttributeChange(name, name, [name])
    drawn = Neighbourhood(
        (
            Box("operation", "changed", some, some, some, 0, (edit,), (0,)),
            Box("operation", "removed", name, some, some, 0),
            Box("input", "added", "", some, "", 0),
            Box("operation", "kept", name, some, "", 0),
        ),
        (Edge(1, 0, "added"), Edge(0, 1, "removed"), Edge(2, 3, "kept"), Edge(3, 0, "kept")),
        2,
        1,
        (0,),
    )
    text = TextDiff(("@@ -1,2 +1,2 @@", f" {name}", f"-{name}", f"+{name}"), 1, 1, 5, "")
    diff = ModelDiff(
        ("onnx", "onnx"),
        SignatureDiff((change,), (change,)),
        GraphDiff(
            (NodeChange(name, 2),),
            (NodeChange(name, 1),),
            (NodeChange(name, 1, (), (edit,)),),
            (Rewrite(name, 1, "exact"),),
            neighbourhood=drawn,
        ),
        {name: (1, 2)},
        {name: (name, 2)},
        {name: (name, name), some: (name, name)},
        WeightsDiff(
            *[(TensorChange(was, fact, Statistics(2, 1, 0.5, 0.5, 0.5)),) * 9 for was in (old, fact, fact, old)],
            layers=(Layer(name, 2, 1), Layer(name, 3, 0, 1, relative_l2=0.5, max_abs=0.5)),
            patterns=(Pattern("head", 1, f"only {name}"), Pattern("prefix", 9, Prefix(name, "", 9).sentence)),
            prefix=Prefix(name, "", 9),
        ),
        {"weights": ("", ""), "structure": ("", ""), "signature": ("", "")},
        Verdict("weights+graph", "major", equivalent=False, reasons=(change.reason, name)),
        {name: text},
        probe=probed(name),
    )
    problem = Problem("GM001", name)
    files = (
        FileDiff(name, "renamed", diff, name + "x"),
        FileDiff(name, "modified", None, problems=(("after", problem),)),
    )
    return Compared(files, name, name)
