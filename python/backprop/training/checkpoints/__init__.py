"""Checkpoints of `fit`: when one is written, what of a run it holds, and how a run goes on from it."""
