"""Measurements: every number in the documents comes from a case in here (`python -m bench --help`)."""
