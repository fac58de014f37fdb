"""The words of the command line: one file a noun, no logic, slow imports inside the commands."""
