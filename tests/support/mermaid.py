"""Mermaid itself, from its pinned npm package: whether it draws what we write, in a browser as GitHub does.

python tests/support/mermaid.py fetch    download it unless it is there; says in one line why it could not
"""

import json
import sys
from pathlib import Path
from typing import Any

from support import chromium, npm
from support.models import CACHE, Unavailable

PACKAGE = "mermaid@11.17.2"
INTEGRITY = "V6K3C8EBdEsPFZXSKMJe6ppQOENxuHARr9GvHX4hh47lAbhMRD9qf4oEK7LoaRQxULMa80/qt5gHO73aCleBBg=="
MEMBER = "package/dist/mermaid.min.js"
KEPT = CACHE / "mermaid" / f"{PACKAGE.rpartition('@')[2]}.min.js"

DRAW = """
const charts = CHARTS;
(async () => {
  mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
  const found = [];
  const room = document.createElement("div");
  document.body.append(room);
  for (const [number, chart] of charts.entries()) {
    try {
      const { svg } = await mermaid.render("chart" + number, chart);
      room.innerHTML = svg;
      const texts = (which) => [...room.querySelectorAll(which)].map((element) => element.textContent.trim());
      found.push({
        labels: texts(".node .label"),
        groups: texts(".cluster-label"),
        edges: room.querySelectorAll("path.flowchart-link").length,
        strange: room.querySelectorAll("script, a, img, iframe, [onclick]").length,
      });
    } catch (error) {
      found.push({ error: String(error) });
    }
  }
  room.remove();
  report(found);
})();
"""


def fetch() -> Path:
    """The script, downloaded unless it is there; raises `Unavailable`."""
    if not KEPT.exists():
        npm.keep(KEPT, npm.member(PACKAGE, INTEGRITY, MEMBER))
    return KEPT


def draw(charts: list[str], scratch: Path) -> list[dict[str, Any]]:
    """What became of each chart: labels, titles of groups, number of edges, elements that have no business there."""
    if not KEPT.exists():
        raise Unavailable(f"{PACKAGE} is not in {CACHE}: run `make models`")
    text = json.dumps(charts).replace("<", "\\u003c")
    page = scratch / "charts.html"
    page.write_text(
        f'<!DOCTYPE html><meta charset="utf-8"><body><script src="{KEPT.as_uri()}"></script>', encoding="utf-8"
    )
    return chromium.ask(page, DRAW.replace("CHARTS", text))


if __name__ == "__main__":
    sys.exit(npm.main("mermaid", fetch, sys.argv[1:]))
