"""Text from files is attacker text: these functions make it harmless for the place where it will stand.

Everything a renderer prints that came from a file, a path or a ref goes through exactly one of them:

    for_terminal   running text on a terminal or in a log, line breaks kept
    no_command     inert text after it was broken into other lines
    one_line       a name in a line or a cell of text
    code, cell     a name in Markdown (GitHub flavoured), anywhere or in a table
    in_markup      a line between the tags of a piece of HTML in Markdown
    prose          a sentence in Markdown
    for_html       text between HTML tags and in quoted attributes
    command_data, command_property   the two halves of a GitHub workflow command
"""

import re
from functools import cache

_CONTROL = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
    "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a]"
)
"""C0 and C1 controls, and what Unicode uses to reorder, format or hide text (categories Cc, Cf, Zl, Zp; UAX #9, default
ignorables, the tag block)."""

_COMMAND = r"(?m)^([ \t]*):(?=:)|##(?=\[)"
"""Where the Actions runner would take a log line for a command: `::name` first in a line, `##[name]` anywhere."""

_MARKDOWN = r"(?<![A-Za-z0-9_])_+|_+(?![A-Za-z0-9_])|[^A-Za-z0-9 ./,_\u0080-\U0010ffff-]"
_UNSPANNABLE = r"[`|<>&@]|\\$"
_SENTENCE = r"(?mi)[\\`*_{}\[\]<>()#|~!&@^=$:]|^[+-]|^\d+(?=[.)])|(?<=www)\."


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """Compiled on first use: these take milliseconds, and a hook that prints a path of plain letters needs none."""
    return re.compile(text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _defuse(match: re.Match[str]) -> str:
    return "#\\x23" if match.group() == "##" else f"{match.group(1)}\\x3a"


def for_terminal(text: str) -> str:
    """Keep newlines and tabs of our own; everything that steers a terminal, reorders text, or that the Actions
    runner would execute when it stands in a log, is spelled out."""
    plain = text
    if not (text.isascii() and text.replace("\n", "").replace("\t", "").isprintable()):
        plain = _pattern(_CONTROL).sub(_escape, text.encode("utf-8", "backslashreplace").decode())
    return no_command(plain)


def no_command(text: str) -> str:
    """Text that is inert already, once more after it was broken into lines: no line may begin with `::`."""
    return _pattern(_COMMAND).sub(_defuse, text) if "::" in text or "##[" in text else text


def one_line(text: str, limit: int = 200) -> str:
    """A name in running text or in a cell: no line breaks, at most `limit` characters."""
    flat = for_terminal(text.replace("\n", "\\n").replace("\t", "\\t"))
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def code(text: str, limit: int = 200) -> str:
    """A name in Markdown, shown in code type, safe in tables and outside them.

    A code span knows no mentions, links or tags. Names that hold a sign which could end it, or which a search of the
    raw text could take for ours (a comment's marker, a mention), are written as HTML with every sign of Markdown as a
    character reference.
    """
    flat = one_line(text, limit)
    if flat.strip() and flat == flat.strip() and not _pattern(_UNSPANNABLE).search(flat):
        return f"`{flat}`"
    return f"<code>{in_markup(flat, limit)}</code>"


def in_markup(text: str, limit: int = 200) -> str:
    """A line of text between HTML tags in Markdown: every sign that means something to either as a reference."""
    return _pattern(_MARKDOWN).sub(_references, one_line(text, limit))


def _references(match: re.Match[str]) -> str:
    # cmark-gfm looks for e-mail addresses after references are decoded; the invisible space keeps them apart.
    return "".join("&#64;&#8203;" if letter == "@" else f"&#{ord(letter)};" for letter in match.group())


def prose(text: str, limit: int = 400) -> str:
    """A sentence in Markdown that may quote names: one line in which no sign of Markdown or HTML has a meaning.

    `@` and `#` are kept from GitHub's mentions and references, which are looked for after rendering.
    """
    return _pattern(_SENTENCE).sub(_reference_and_break, one_line(text, limit))


def _reference_and_break(match: re.Match[str]) -> str:
    letters = match.group()
    broken = "".join(f"&#{ord(letter)};" for letter in letters)
    return broken + "&#8203;" if letters in {"@", "#"} else broken


def for_html(text: str, limit: int = 400) -> str:
    """Text between tags, or in an attribute within quotes."""
    flat = one_line(text, limit)
    for letter, reference in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        flat = flat.replace(letter, reference)
    return flat


def command_data(text: str, limit: int = 2000) -> str:
    """What follows the second `::` of a workflow command. A line break between two such texts is `%0A`."""
    return one_line(text, limit).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def command_property(text: str, limit: int = 1000) -> str:
    """A value between the name and the second `::` of a workflow command."""
    return command_data(text, limit).replace(":", "%3A").replace(",", "%2C")
