"""A mutation fuzzer for the reader of mail: seeds of our own, broken in many ways."""
