"""Writes docs/accuracy.md: how often `equivalent` is right on what tools make of small networks.

    PYTHONPATH=.:tests python benchmarks/accuracy.py

Every pair is run with ONNX Runtime on random inputs, which is the referee. Some five minutes on two cores.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from support import real_nets, rewriters
from support.accuracy import NETS, Judged, judged
from support.real_nets import RELEASED

TARGET = Path(__file__).parents[1] / "docs" / "accuracy.md"
TEXT = f"""<!-- Written by benchmarks/accuracy.py; do not edit. -->
# How often `equivalent` is right

{len(NETS)} small networks (tests/support/small_nets.py, and tests/data/torch_export: convolutions, attention, gates and
recurrent layers from both exporters of torch) as tools rewrite them. ONNX Runtime runs both sides on random inputs
and is the referee. *wrong* counts pairs that were called equivalent although it computes something else; *missed* those
that it finds equal and that were not proved. Tools that refuse a network, and pairs that it cannot run, do not count.

What is proved holds in real arithmetic, for inputs on which the models run, and for sizes that are not zero.
"""


REAL = f"""
## Released models

The same with {len(RELEASED)} models of the pinned wheels (tests/data/models.lock): voices, pitch, notes, kinds of
files, text in images. A tool whose result the referee cannot tell from the original may have changed it all the same:
onnxscript's optimiser takes small additions out of swift-f0 and basic-pitch. Such a pair counts as missed here, and is
rightly not proved.
"""


def table(tools: Mapping[str, rewriters.Tool], judge: Callable[[rewriters.Tool], Iterator[Judged | str]]) -> list[str]:
    """A row per tool, their sum, and what follows from it."""
    lines = ["| tool | pairs | proved | missed | wrong |", "|---|---|---|---|---|"]
    total = [0, 0, 0, 0]
    for name, tool in tools.items():
        found = [item for item in judge(tool) if isinstance(item, Judged) and item.agree is not None]
        proved = [item for item in found if item.diff.verdict.equivalent]
        row = [
            len([item for item in found if item.agree or item in proved]),
            len([item for item in proved if item.agree]),
            len([item for item in found if item.agree and item not in proved]),
            len([item for item in proved if not item.agree]),
        ]
        total = [one + other for one, other in zip(total, row, strict=True)]
        lines.append(f"| {name} | {' | '.join(map(str, row))} |")
    lines.append(f"| all | {' | '.join(map(str, total))} |")
    precision, recall = total[1] / (total[1] + total[3]), total[1] / (total[1] + total[2])
    return [*lines, "", f"Precision {precision:.3f}, recall {recall:.3f}."]


def released(tool: rewriters.Tool) -> Iterator[Judged | str]:
    return judged(tool, real_nets.NETS, lambda net, seed: RELEASED[net].given(seed))


def main() -> None:
    lines = [TEXT, *table(rewriters.EXACT, judged), REAL, *table(rewriters.EXACT, released), "", "## Fewer bits", ""]
    lines += [
        "Never equivalent. *named* are those of which it is said that nothing but the numbers' width changed.",
        "",
    ]
    lines += ["| tool | changed | named | wrong |", "|---|---|---|---|"]
    for name, (pattern, tool) in rewriters.LOSSY.items():
        found = [item for item in judged(tool) if isinstance(item, Judged) and not item.unchanged]
        changed = [item for item in found if not item.diff.verdict.equivalent]
        named = [item for item in changed if any(r.pattern == pattern for r in item.diff.graph.rewrites)]
        wrong = [item for item in found if item.diff.verdict.equivalent and item.agree is False]
        lines.append(f"| {name} | {len(changed)} | {len(named)} | {len(wrong)} |")
    TARGET.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
