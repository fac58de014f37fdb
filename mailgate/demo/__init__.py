"""The demo: the whole of mailgate on an embedded default, with a small company to play with."""
