"""Data that the stages exchange: indices, manifests, pieces of headers and trees.

In: values. Out: bytes with a checksum, and back. Only the standard library, as gather imports it.
What a gather needs imports next to nothing of that: neither json nor re, collections, contextlib,
typing or dataclasses, each of which would be a tenth of its time or more.
"""
