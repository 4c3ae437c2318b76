"""The peers: each trains a workload as its own experts would write it.

A peer is a class made from a workload; ``epoch(number)`` trains one epoch and returns the mean
loss, each batch's before its step.
"""
