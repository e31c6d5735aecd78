"""`same` as text: the answer first, then what is out of step."""

from collections import Counter
from math import prod

from gitops_model.diff.same.result import GRADES, Pair
from gitops_model.ir import Tensor
from gitops_model.render import Look
from gitops_model.render.inert import one_line
from gitops_model.render.same import Compared

MOST = 20
"""Tensors that are told one by one."""

ANSWERS = {
    "exact": "hold the same weights, bit for bit",
    "transposed": "hold the same weights; some have their axes in another order",
    "close": "hold the same weights within the tolerance",
    "folded": "hold the same weights; some are folded",
    "apart": "do not hold the same weights",
    "nothing": "have no weights to compare",
}


def render(found: list[Compared], look: Look) -> str:
    return "\n".join(one(item, look) for item in found)


def one(item: Compared, look: Look) -> str:
    said = item.sameness
    title = f"{one_line(item.before, 400)} ({item.before_format}) and {one_line(item.after, 400)} ({item.after_format})"
    lines = [f"{title} {look.paint(ANSWERS[said.grade], 32 if said.same else 31)}"]
    counts = Counter(pair.grade for pair in said.pairs)
    elements = sum(prod(pair.before.shape) for pair in said.pairs)
    parts = [f"{counts[grade]} {grade}" for grade in GRADES if counts[grade]]
    lines.append(f"  {len(said.pairs)} pairs of tensors, {elements:,} elements: {', '.join(parts) or 'none'}")
    far = max((pair for pair in said.pairs if pair.distance is not None), key=lambda p: p.relative or 0, default=None)
    if far is not None:
        lines.append(f"  farthest: {pair_text(far)}")
    lines += [f"  out of step: {pair_text(pair)}" for pair in said.out_of_step[:MOST]]
    lines += more(len(said.out_of_step))
    for label, tensors in ((item.before, said.only_before), (item.after, said.only_after)):
        lines += [f"  only in {one_line(label, 400)}: {tensor_text(tensor)}" for tensor in tensors[:MOST]]
        lines += more(len(tensors))
    notable = [pair for pair in said.pairs if pair.grade in ("folded", "transposed")]
    lines += [f"  {pair.grade}: {pair_text(pair)}" for pair in notable[:MOST]]
    if any(said.small):
        lines.append(
            f"  left out for their size: {said.small[0]} and {said.small[1]} tensors of fewer than 16 elements"
        )
    if said.unread:
        lines.append(f"  not compared, their bytes are not here: {', '.join(map(one_line, said.unread[:MOST]))}")
    return "\n".join(lines) + "\n"


def more(count: int) -> list[str]:
    return [f"  … and {count - MOST} more"] if count > MOST else []


def pair_text(pair: Pair) -> str:
    name = one_line(pair.before.name) or "(unnamed)"
    if pair.after.name != pair.before.name:
        name += f" / {one_line(pair.after.name) or '(unnamed)'}"
    parts = [f"{name} {pair.before.dtype}{list(pair.before.shape)}"]
    if pair.distance is not None:
        parts.append(f"max |d| {pair.distance:.3g} ({pair.relative:.2g} of the largest value)")
    if pair.note:
        parts.append(pair.note)
    return ", ".join(parts)


def tensor_text(tensor: Tensor) -> str:
    return f"{one_line(tensor.name) or '(unnamed)'} {tensor.dtype}{list(tensor.shape)}"
