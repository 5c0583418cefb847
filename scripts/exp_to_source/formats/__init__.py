"""Data that the stages exchange: indices, manifests, failures, pieces of headers and trees.

In: values. Out: bytes with a seal, and back. Only the standard library, as gather imports it:
neither typing nor dataclasses where a gather needs it, as each would be a tenth of its time.
"""
