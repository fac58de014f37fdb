"""`python -m bench [name…]`: run every module here that has a `main`, or those that are named."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench


def run(names: list[str]) -> None:
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
            main()


if __name__ == "__main__":
    run(sys.argv[1:])
