"""format=flowed text (RFC 3676) joined to the paragraphs its author wrote."""

from __future__ import annotations


def unflow(text: str, delsp: bool) -> str:
    """Join soft line breaks, quote depth by quote depth; a signature line is never joined."""
    out: list[str] = []
    open_depth = -1  # of the last line, where it ended softly
    for raw in text.split("\n"):
        line = raw.lstrip(">")
        depth = len(raw) - len(line)
        line = line.removeprefix(" ")  # space-stuffing (§4.4)
        signature = line == "-- "
        soft = line.endswith(" ") and not signature
        if soft and delsp:
            line = line[:-1]
        if open_depth != depth or signature:
            out.append(f"\n{'>' * depth} " if depth else "\n")
        out.append(line)
        open_depth = depth if soft else -1
    return "".join(out)[1:]
