"""Tests; one folder a room, and `e2e` for the whole."""
