"""The nouns of mailgate: frozen values without I/O, clock or logger, shared by every room."""
