"""HTML of a stranger made safe to look at: structure and words stay, everything that acts goes."""

from __future__ import annotations

import re
from dataclasses import dataclass

import nh3

#: What shapes text and tables. No form, no frame, no media, no style, nothing that is fetched.
_TAG_NAMES = """
    a abbr address article b bdi bdo blockquote br caption center cite code col colgroup dd del
    details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li
    main mark ol p pre q s samp section small span strong sub summary sup table tbody td tfoot th
    thead time tr tt u ul var wbr
"""
#: Gone with all that stands in them: what is written there is for programs.
_SWALLOWED_NAMES = """
    script style title template noscript iframe frame frameset object embed applet svg math audio
    video canvas select textarea button noembed noframes xmp plaintext
"""
_ATTRIBUTES = {
    "*": {"dir", "lang"},
    # Looked at and taken away again, see below.
    "a": {"href"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan", "align", "valign"},
    "th": {"colspan", "rowspan", "align", "valign", "scope"},
    "table": {"border", "cellpadding", "width"},
    "ol": {"start", "reversed"},
    "li": {"value"},
}
_SCHEMES = {"http", "https", "mailto", "tel", "ftp"}
#: So many links are named, and so many tags are looked at: a parser takes time by the square of
#: how deep they nest (a second for 20,000).
_MOST_LINKS, _MOST_TAGS = 200, 20_000
#: Elements that a parser opens again in every paragraph to come, each as often as it stands there
#: with other attributes (HTML standard, "active formatting elements"): 30 KB would become 1 GB.
_REPEATED = re.compile(
    r"<(b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/][^>]*>", re.IGNORECASE
)


class TooMuch(Exception):
    """More tags than a page should be made of."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be put into a page, where its links led, and how many pictures were left out."""

    html: str
    links: tuple[str, ...]
    pictures: int


def sanitize(source: str) -> Shown:
    """By an allow-list of our own (promise M10). A link keeps its words and loses its address, a
    picture keeps its description and loses its source: nothing here can be followed or fetched.
    Raises `TooMuch`.
    """
    if source.count("<") > _MOST_TAGS:
        raise TooMuch
    links: dict[str, None] = {}
    pictures = 0

    def look(tag: str, name: str, value: str) -> str | None:
        nonlocal pictures
        if (tag, name) == ("a", "href"):
            if len(links) < _MOST_LINKS:
                links[value] = None
            return None
        if (tag, name) == ("img", "src"):
            pictures += 1
            return None
        return value

    html = nh3.clean(
        _REPEATED.sub(r"<\1>", source),
        tags=set(_TAG_NAMES.split()),
        clean_content_tags=set(_SWALLOWED_NAMES.split()),
        attributes=_ATTRIBUTES,
        attribute_filter=look,
        url_schemes=_SCHEMES,
        link_rel=None,
        strip_comments=True,
    )
    return Shown(html, tuple(links), pictures)
