"""Benchmarks of Livery: each a module with a ``run``, each figure a ratio to a reference of the same run."""
