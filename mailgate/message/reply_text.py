"""What the author of a reply newly wrote: quotes and signature cut, inline answers kept whole.

For people to read, never for a decision: a cut that is wrong hides words, and whoever writes a
message can make a reader cut where he likes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from mailgate.message import reply_text_lines, reply_text_marks, reply_text_signature
from mailgate.message.reply_text_lines import Line
from mailgate.message.reply_text_marks import Found

#: After one of these everything is the text of others.
_ALL_BELOW = frozenset({"header", "original", "rest", "reply above"})
_ARMOR, _ARMOR_END = "-----BEGIN PGP SIGNED MESSAGE-----\n", "\n-----BEGIN PGP SIGNATURE-----\n"


def new_text(plain: str | None, html: str | None) -> str:
    """The new text of a message whose written parts are these; never empty where they are not."""
    if plain is not None and plain.strip():
        plain = _without_armor(plain)
        lines = reply_text_lines.of_plain(reply_text_marks.split_shared_line(plain))
        new = _new(lines)
        whole = len(_written(new)) == len(_written(lines))
        if whole and html is not None and reply_text_lines.marks_quotes(html):
            new = _new(reply_text_lines.of_html(html))
        return reply_text_lines.text_of(new)
    if html is None:
        return ""
    return reply_text_lines.text_of(_new(reply_text_lines.of_html(html)))


def _without_armor(text: str) -> str:
    """The text inside a cleartext signature that stands at the start (RFC 9580 §7)."""
    if not text.lstrip().startswith(_ARMOR):
        return text
    _hashes, empty, signed = text.partition("\n\n")
    written, begin, signature = signed.partition(_ARMOR_END)
    if not empty or not begin:
        return text
    lines = (line.removeprefix("- ") for line in written.split("\n"))
    return "\n".join(lines) + "\n" + signature.partition("-----END PGP SIGNATURE-----")[2]


def _written(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if not line.blank]


def _new(lines: list[Line]) -> list[Line]:
    found = reply_text_marks.find(lines)
    if _is_forward(lines, found):
        return lines
    cut = _cut_below(lines, found)
    kept = lines[:cut]
    if not _written(kept):
        return _below(lines, found)
    kept = reply_text_signature.without(kept)
    marks = [mark for mark in found if mark.end <= len(kept)]
    new = reply_text_signature.without(_without_quotes(kept, marks, cut < len(lines)))
    return new if _written(new) else lines


def _is_forward(lines: Sequence[Line], found: Sequence[Found]) -> bool:
    """Whether the first thing of others in the text is something passed on."""
    first = next(iter(found), None)
    if first and first.kind == "forwarded":
        return True
    quoted = next((line for line in lines if line.quoted and not line.blank), None)
    return quoted is not None and reply_text_marks.is_forward(quoted)


def _cut_below(lines: Sequence[Line], found: Sequence[Found]) -> int:
    """The line where text of others begins and does not end, or the number of lines."""
    for mark in found:
        if mark.kind in _ALL_BELOW and mark.start > 0 and _written(lines[: mark.start]):
            return mark.start
        if mark.kind == "reply above":
            return mark.start
        unmarked = mark.kind == "attribution" and not _quoted_next(lines, mark.end)
        if unmarked and _written(lines[: mark.start]):
            return mark.start
    return len(lines)


def _quoted_next(lines: Sequence[Line], at: int) -> bool:
    following = next((line for line in lines[at:] if not line.blank), None)
    return following is None or following.quoted


def _below(lines: list[Line], found: Sequence[Found]) -> list[Line]:
    """Nothing stands above the text of others: what stands below its header is all there is."""
    below = lines[found[0].end :] if found else lines
    unquoted = [line for line in below if not line.quoted]
    new = reply_text_signature.without(unquoted if _written(unquoted) else below)
    return new if _written(new) else lines


@dataclasses.dataclass(slots=True)
class _Run:
    """Lines in a row that are all quoted, or all not."""

    quoted: bool
    lines: list[Line]
    attributed: bool = False


def _without_quotes(lines: list[Line], marks: Sequence[Found], was_cut: bool) -> list[Line]:
    """Quotes that only precede or follow the answer go; quotes that it runs between stay."""
    runs = _runs(lines, marks)
    if all(run.quoted for run in runs):
        return lines
    while runs[-1].quoted and (runs[-1].attributed or not (was_cut or _is_cited(runs))):
        runs.pop()
        was_cut = True
    quotes = [run for run in runs if run.quoted]
    if len(quotes) == 1 and quotes[0].attributed:
        runs = [run for run in runs if not run.quoted]
    return _joined(runs)


def _is_cited(runs: Sequence[_Run]) -> bool:
    """Whether the writer's own words introduce the last quote: `the log says:`."""
    before = _written(runs[-2].lines) if len(runs) > 1 else []
    if not before or reply_text_marks.names_a_message(before[-1]):
        return False  # an attribution in a language that we do not know
    return before[-1].text.rstrip().endswith((":", "："))


def _joined(runs: Sequence[_Run]) -> list[Line]:
    """The lines of the runs; what stood apart by a quote stands apart by a blank line."""
    joined: list[Line] = []
    for before, run in zip((None, *runs), runs, strict=False):
        if before and before.quoted == run.quoted and not before.lines[-1].blank:
            joined.append(Line(""))
        joined += run.lines
    return joined


def _runs(lines: list[Line], marks: Sequence[Found]) -> list[_Run]:
    """The text as runs; attributions are taken out, and remembered by the quote they head."""
    hidden = {i for m in marks if m.kind == "attribution" for i in range(m.start, m.end)}
    runs: list[_Run] = []
    headed = False
    for index, line in enumerate(lines):
        if index in hidden:
            headed = True
        elif line.blank:
            if runs and not headed:
                runs[-1].lines.append(line)
        else:
            quoted = line.quoted or _is_wrapped_link(lines, index)
            if not runs or runs[-1].quoted != quoted or headed:
                runs.append(_Run(quoted, [], attributed=quoted and headed))
            runs[-1].lines.append(line)
            headed = False
    return runs


def _is_wrapped_link(lines: Sequence[Line], index: int) -> bool:
    """A piece of a long link that lost its `>` when the quote was wrapped."""
    if index == 0 or index + 1 >= len(lines):
        return False
    before, after = lines[index - 1], lines[index + 1]
    return before.quoted and after.quoted and "http" in before.text and " " not in lines[index].text
