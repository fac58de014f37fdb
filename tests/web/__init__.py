"""The pages, asked over a real socket and by a real browser."""
