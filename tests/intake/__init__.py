"""Intake, spoken to over real sockets, with a store of ten lines behind it."""
