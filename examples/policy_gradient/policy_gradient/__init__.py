"""A policy that is trained by its gradient, compiled once for each instruction-set level."""

import importlib

import bpcore

Policy = importlib.import_module(f"policy_gradient._core_{bpcore.level()}").Policy
