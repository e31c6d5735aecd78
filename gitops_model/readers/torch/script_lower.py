"""From the statements of one TorchScript method to a graph in which every value is made once."""

import ast
from collections.abc import Callable

from gitops_model.ir import Attribute, Graph, Node, OtherType, Value

DOMAIN = "torchscript"


class Lowering:
    """Lowers one method. `types` are those of its parameters, `attributes` class → attribute → type."""

    def __init__(
        self,
        owner: str,
        types: dict[str, str],
        attributes: dict[str, dict[str, str]],
        plain: Callable[[str], str],
        mangling: Callable[[str], str],
    ) -> None:
        self.types = dict(types)
        if owner:
            self.types["self"] = owner
        self.attributes = attributes
        self.plain = plain
        self.mangling = mangling
        self.count = 0
        self.bound: dict[str, str] = {}
        self.nodes: list[Node] = []

    def function(self, definition: ast.FunctionDef) -> Graph:
        inputs: list[Value] = []
        for argument in definition.args.args:
            self.bound[argument.arg] = argument.arg
            inputs.append(Value(argument.arg, OtherType(self.plain(self.types.get(argument.arg, "Tensor")))))
        returned = self.block(definition.body)
        outputs = tuple(Value(name, None) for name in returned)
        return Graph(definition.name, tuple(inputs), outputs, tuple(self.nodes), {})

    # --- statements -------------------------------------------------------------------------------------------------
    def block(self, statements: list[ast.stmt]) -> list[str]:
        """Lower statements in order; returns the names that a `return` among them gives back."""
        returned: list[str] = []
        for statement in statements:
            if isinstance(statement, ast.Return):
                value = statement.value
                parts = value.elts if isinstance(value, ast.Tuple) else [value] if value is not None else []
                returned = [self.value(part) for part in parts]
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    self.assign(target, statement.value)
            elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
                self.assign(statement.target, statement.value)
            elif isinstance(statement, ast.Expr):
                self.value(statement.value)
            elif isinstance(statement, ast.If):
                self.branch(statement)
            elif isinstance(statement, (ast.For, ast.While)):
                self.loop(statement)
            elif isinstance(statement, ast.With):
                context = [self.value(item.context_expr) for item in statement.items]
                self.emit("prim.With", context, 0)
                returned = self.block(statement.body) or returned
            elif not isinstance(statement, ast.Pass):
                self.emit(f"prim.{type(statement).__name__}", [], 0)
        return returned

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Attribute):
            self.emit("prim.SetAttr", [self.value(target.value), self.value(value)], 0, name=target.attr)
        elif isinstance(target, (ast.Tuple, ast.List)):
            if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
                names = [self.value(part) for part in value.elts]
            elif isinstance(value, ast.Call):
                names = self.call(value, len(target.elts))
            else:
                names = self.emit("prim.Unpack", [self.value(value)], len(target.elts))
            for part, name in zip(target.elts, names, strict=True):
                if isinstance(part, ast.Name):
                    self.bound[part.id] = name
        elif isinstance(target, ast.Name):
            self.bound[target.id] = self.value(value)
            kind = self.type_of(value)
            if kind:
                self.types[target.id] = kind
        else:  # x[i] = y
            self.emit("prim.SetItem", [self.value(target), self.value(value)], 0)

    def branch(self, statement: ast.If) -> None:
        condition = self.value(statement.test)
        before = dict(self.bound)
        then = self.scoped(statement.body)
        after_then, self.bound = self.bound, dict(before)
        otherwise = self.scoped(statement.orelse)
        after_else, self.bound = self.bound, before
        changed = [
            name
            for name in dict.fromkeys((*after_then, *after_else))
            if (name in after_then and name in after_else)
            and not (after_then[name] == after_else[name] == before.get(name))
        ]
        outputs = self.fresh(len(changed))
        self.nodes.append(
            self.node(
                "prim.If",
                [condition],
                outputs,
                Attribute("then_branch", "graph", graph_of(then, [after_then[name] for name in changed])),
                Attribute("else_branch", "graph", graph_of(otherwise, [after_else[name] for name in changed])),
            )
        )
        self.bound.update(zip(changed, outputs, strict=True))

    def loop(self, statement: ast.For | ast.While) -> None:
        before = dict(self.bound)
        assigned = {part.id for part in ast.walk(statement) if isinstance(part, ast.Name) and is_store(part)}
        carried = [name for name in before if name in assigned]
        entering = [before[name] for name in carried]
        condition = self.value(statement.iter if isinstance(statement, ast.For) else statement.test)
        inner = self.fresh(len(carried))
        self.bound.update(zip(carried, inner, strict=True))
        inputs = list(inner)
        if isinstance(statement, ast.For) and isinstance(statement.target, ast.Name):
            self.bound[statement.target.id] = step = self.fresh(1)[0]
            inputs.append(step)
        body = self.scoped(statement.body)
        leaving = [self.bound[name] for name in carried]
        self.bound = before
        outputs = self.fresh(len(carried))
        graph = graph_of(body, leaving)._replace(inputs=tuple(Value(name, None) for name in inputs))
        self.nodes.append(self.node("prim.Loop", [condition, *entering], outputs, Attribute("body", "graph", graph)))
        self.bound.update(zip(carried, outputs, strict=True))

    def scoped(self, statements: list[ast.stmt]) -> list[Node]:
        outer, self.nodes = self.nodes, []
        self.block(statements)
        inner, self.nodes = self.nodes, outer
        return inner

    # --- expressions ------------------------------------------------------------------------------------------------
    def value(self, expression: ast.expr) -> str:
        """The name of the value of an expression."""
        if isinstance(expression, ast.Name) and expression.id in self.bound:
            return self.bound[expression.id]
        if isinstance(expression, ast.Call):
            return self.call(expression, 1)[0]
        if isinstance(expression, ast.Attribute):
            path = dotted(expression)
            if path.startswith(("__torch__.", "CONSTANTS.", "torch.", "ops.")):
                return self.emit("prim.Constant", [], 1, value=self.plain(path))[0]
            return self.emit("prim.GetAttr", [self.value(expression.value)], 1, name=expression.attr)[0]
        if isinstance(expression, ast.Subscript):
            index = constant(expression.slice)
            if index is not None:
                return self.emit("prim.GetItem", [self.value(expression.value)], 1, index=index)[0]
            return self.emit("prim.GetItem", [self.value(expression.value), self.value(expression.slice)], 1)[0]
        if isinstance(expression, (ast.List, ast.Tuple, ast.Dict)):
            return self.construct(expression)
        text = constant(expression)
        return self.emit(
            "prim.Constant", [], 1, value=self.plain(text if text is not None else ast.unparse(expression))
        )[0]

    def construct(self, expression: ast.List | ast.Tuple | ast.Dict) -> str:
        kind = f"prim.{type(expression).__name__}Construct"
        text = constant(expression)
        if text is not None:
            return self.emit("prim.Constant", [], 1, value=text)[0]
        if isinstance(expression, ast.Dict):
            parts = [part for pair in zip(expression.keys, expression.values, strict=True) for part in pair if part]
        else:
            parts = expression.elts
        return self.emit(kind, [self.value(part) for part in parts], 1)[0]

    def call(self, expression: ast.Call, outputs: int) -> list[str]:
        """A call: of an operator by its path, of a method by the class of its object, or of a bound function."""
        inputs: list[str] = []
        constants: dict[str, str] = {}
        function = expression.func
        path = dotted(function)
        if isinstance(function, ast.Name) and function.id in self.bound:
            op = self.types.get(function.id, "prim.Call")
            if op == "prim.Call":
                inputs.append(self.bound[function.id])
        elif isinstance(function, ast.Attribute) and not path.startswith(("torch.", "ops.", "__torch__.")):
            kind = self.type_of(function.value)
            inputs.append(self.value(function.value))
            op = f"{kind}.{function.attr}" if kind else f"prim.CallMethod.{function.attr}"
        else:
            op = path or "prim.Call"
        for index, argument in enumerate(expression.args):
            text = constant(argument)
            if text is None and op in ("annotate", "unchecked_cast", "uninitialized") and index == 0:
                text = self.plain(ast.unparse(argument))  # a type
            if text is None:
                inputs.append(self.value(argument))
            else:
                constants[f"arg{index}"] = text
        for keyword in expression.keywords:
            text = constant(keyword.value)
            if text is None:
                inputs.append(self.value(keyword.value))
            else:
                constants[keyword.arg or "**"] = text
        return self.emit(op, inputs, outputs, **constants)

    def type_of(self, expression: ast.expr) -> str | None:
        """The class of an object, or the function that a name stands for, as far as the declarations say."""
        if isinstance(expression, ast.Name):
            return self.types.get(expression.id)
        if isinstance(expression, ast.Attribute):
            path = dotted(expression)
            if path.startswith("__torch__."):
                return path
            owner = self.type_of(expression.value)
            return self.attributes.get(owner, {}).get(expression.attr) if owner else None
        if isinstance(expression, ast.Call) and dotted(expression.func) == "getattr" and len(expression.args) == 2:
            owner = self.type_of(expression.args[0])
            name = expression.args[1]
            if owner and isinstance(name, ast.Constant) and isinstance(name.value, str):
                return self.attributes.get(owner, {}).get(name.value)
        return None

    # --- nodes ------------------------------------------------------------------------------------------------------
    def fresh(self, count: int) -> list[str]:
        first = self.count
        self.count += count
        return [f"%{first + index}" for index in range(count)]

    def emit(self, op: str, inputs: list[str], outputs: int, **constants: str) -> list[str]:
        made = self.fresh(outputs)
        attributes = [Attribute(name, "string", text.encode()) for name, text in constants.items()]
        self.nodes.append(self.node(op, inputs, made, *attributes))
        return made

    def node(self, op: str, inputs: list[str], outputs: list[str], *attributes: Attribute) -> Node:
        return Node(self.plain(op), DOMAIN, "", tuple(inputs), tuple(outputs), attributes, self.mangling(op))


def graph_of(nodes: list[Node], outputs: list[str]) -> Graph:
    return Graph("", (), tuple(Value(name, None) for name in outputs), tuple(nodes), {})


def is_store(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def dotted(expression: ast.expr) -> str:
    """`a.b.c` of attribute accesses down to a name, else what follows the last call."""
    parts: list[str] = []
    while isinstance(expression, ast.Attribute):
        parts.append(expression.attr)
        expression = expression.value
    if isinstance(expression, ast.Name):
        parts.append(expression.id)
    return ".".join(reversed(parts))


def constant(expression: ast.expr) -> str | None:
    """The text of a literal (also of lists and tuples of literals), None when values are involved."""
    if isinstance(expression, ast.Constant):
        return repr(expression.value)
    if isinstance(expression, ast.UnaryOp) and isinstance(expression.operand, ast.Constant):
        return ast.unparse(expression)
    if isinstance(expression, (ast.List, ast.Tuple)):
        parts = [constant(part) for part in expression.elts]
        if all(part is not None for part in parts):
            return f"[{', '.join(part for part in parts if part is not None)}]"
    return None
