"""Benchmarks: fastmlp beside its peers, in one run, results compared first."""
