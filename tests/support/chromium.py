"""A page as a browser without a window sees it."""

import html
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from support.models import Unavailable

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LIMIT = 240.0
"""Seconds that a browser may take."""


def ask(page: Path, script: str, *, dark: bool = False, width: int = 1100) -> Any:
    """What a script, put behind the page, hands to `report(value)`; raises `Unavailable` without a browser.

    No host has an address there, so that a page that asks for one is seen to fail.
    """
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        raise Unavailable("no Chromium: run `make tools`")
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "page.html"
        hand_over = "function report(value) { const out = document.createElement('pre'); out.id = 'report'; "
        hand_over += "out.textContent = JSON.stringify(value); document.body.append(out); }"
        copy.write_text(page.read_text(encoding="utf-8") + f"<script>{hand_over}\n{script}</script>", encoding="utf-8")
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
        command += ["--disable-background-networking", "--disable-dev-shm-usage", f"--user-data-dir={scratch}/profile"]
        command += [
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--virtual-time-budget=600000",
            f"--window-size={width},900",
        ]
        command += [f"--window-size={width},900", *(["--blink-settings=preferredColorScheme=0"] if dark else [])]
        done = subprocess.run(
            [*command, "--dump-dom", copy.as_uri()],
            capture_output=True,
            check=False,
            timeout=LIMIT,
            stdin=subprocess.DEVNULL,
        )
    text = done.stdout.decode("utf-8", "replace")
    found = re.search(r'<pre id="report">(.*?)</pre>', text, re.DOTALL)
    assert found is not None, done.stderr.decode("utf-8", "replace")[-2000:] + text[-500:]
    return json.loads(html.unescape(found.group(1)))
