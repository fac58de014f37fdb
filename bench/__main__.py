"""`python -m bench [name…]`: run every module here that has a `main`, or those that are named.

Options follow the name of the one that takes them.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench


def run(arguments: list[str]) -> None:
    first = next((n for n, word in enumerate(arguments) if word.startswith("-")), len(arguments))
    names, options = arguments[:first], arguments[first:]
    known = sorted(module.name for module in pkgutil.iter_modules(bench.__path__))
    unknown = set(names) - set(known)
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}")
    for name in names or known:
        if name.startswith("_"):
            continue
        main = getattr(importlib.import_module(f"bench.{name}"), "main", None)
        if main is not None:
            print(f"== {name}", flush=True)
            main(options) if options else main()


if __name__ == "__main__":
    run(sys.argv[1:])
