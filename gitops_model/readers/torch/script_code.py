"""The serialized code of a TorchScript archive as graphs: parsed with `ast`, lowered by hand, never compiled or run.

Every method becomes a graph of nodes in the domain `torchscript`: `torch.conv1d` and the like, calls of other methods
(named `Class.method` after the class, which is also the name of their `Function`), and the control flow `prim.If`,
`prim.Loop`, `prim.With`. Constants stand in attributes `argN`. `___torch_mangle_N` numbers, which change at every
export, are taken out of every name.
"""

import ast
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Function, Graph
from gitops_model.readers.torch.script_lower import Lowering

DOMAIN = "torchscript"
_MANGLE = re.compile(r"\.?___torch_mangle_\d+")


class Method(NamedTuple):
    """One method or function: parameters (name, type text) without self, types of the results, body."""

    parameters: tuple[tuple[str, str], ...]
    results: tuple[str, ...]
    graph: Graph


@dataclass(slots=True)
class Code:
    """Methods by (qualified class or module, name). `problems` say which source could not be parsed."""

    methods: dict[tuple[str, str], Method] = field(default_factory=dict[tuple[str, str], Method])
    problems: list[Problem] = field(default_factory=list[Problem])

    def functions(self, without: tuple[str, str]) -> tuple[Function, ...]:
        return tuple(
            Function(
                DOMAIN,
                plain(f"{owner}.{name}"),
                mangling(f"{owner}.{name}"),
                tuple(value.name for value in method.graph.inputs),
                tuple(value.name for value in method.graph.outputs),
                (),
                (),
                method.graph.nodes,
                {},
            )
            for (owner, name), method in self.methods.items()
            if (owner, name) != without
        )


def plain(name: str) -> str:
    """A qualified name or type without mangling: what stays the same from export to export."""
    return _MANGLE.sub("", name)


def mangling(name: str) -> str:
    """What `plain` takes out: tells classes of one name apart within a file, and is never compared across files."""
    return "".join(_MANGLE.findall(name))


def parse_code(sources: dict[str, str]) -> Code:
    """Parse every source. A source that is no such code becomes a GM002 problem; the tensors can still be described."""
    code = Code()
    trees: dict[str, ast.Module] = {}
    for module, text in sources.items():
        try:
            trees[module] = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            code.problems.append(Problem("GM002", f"the code of {plain(module)} cannot be parsed"))
    attributes = class_attributes(trees)
    for module, tree in trees.items():
        for statement in tree.body:
            try:
                if isinstance(statement, ast.ClassDef):
                    owner = f"{module}.{statement.name}"
                    for part in statement.body:
                        if isinstance(part, ast.FunctionDef):
                            code.methods[owner, part.name] = method(part, owner, attributes)
                elif isinstance(statement, ast.FunctionDef):
                    code.methods[module, statement.name] = method(statement, "", attributes)
            except RecursionError as error:
                raise BadFile(Problem("GM005", f"the code of {plain(module)} is nested too deeply")) from error
    return code


def class_attributes(trees: dict[str, ast.Module]) -> dict[str, dict[str, str]]:
    """Class → attribute → type as written, to know whose method a call reaches."""
    found: dict[str, dict[str, str]] = {}
    for module, tree in trees.items():
        for statement in tree.body:
            if isinstance(statement, ast.ClassDef):
                types = found.setdefault(f"{module}.{statement.name}", {})
                for part in statement.body:
                    if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                        types[part.target.id] = ast.unparse(part.annotation)
                    elif isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Subscript):
                        key = part.targets[0].slice  # __annotations__["0"] = …: names that are no identifiers
                        if isinstance(key, ast.Constant) and isinstance(key.value, str):
                            types[key.value] = ast.unparse(part.value)
    return found


def method(definition: ast.FunctionDef, owner: str, attributes: dict[str, dict[str, str]]) -> Method:
    arguments = definition.args.args
    types = {a.arg: ast.unparse(a.annotation) if a.annotation else "Tensor" for a in arguments}
    lowering = Lowering(owner, types, attributes, plain, mangling)
    graph = lowering.function(definition)
    names = [a.arg for a in arguments if not (owner and a.arg == "self")]
    return Method(tuple((name, types[name]) for name in names), results(definition.returns), graph)


def results(annotation: ast.expr | None) -> tuple[str, ...]:
    """`Tuple[A, B]` gives two results, `NoneType` none."""
    if annotation is None or (isinstance(annotation, ast.Name) and annotation.id == "NoneType"):
        return ()
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Tuple":
        inner = annotation.slice
        parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        return tuple(ast.unparse(part) for part in parts)
    return (ast.unparse(annotation),)
