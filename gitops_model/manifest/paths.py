"""Paths as a manifest may write them: below its own folder, one spelling per file."""

import re


def trouble(path: str) -> tuple[str, str] | None:
    """What is wrong with a path, and what is expected instead; None when it may be used.

    The schema refuses the same paths by one pattern; this says why.
    """
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return "the path is absolute", "a path relative to the manifest"
    if "\\" in path:
        return "the path holds a backslash", "'/' between the parts of a path"
    if re.search(r"[\x00-\x1f\x7f]", path):
        return "the path holds a control character", "a path that can be typed"
    parts = path.split("/")
    if ".." in parts:
        return "the path leaves the manifest's folder", "a path below the manifest's folder, without '..'"
    if "." in parts or "" in parts:
        return "the path has an empty part or '.'", "the path in its shortest spelling"
    if len(path) > 1024:
        return f"the path has {len(path)} characters", "at most 1024 characters"
    return None
