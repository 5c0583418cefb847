"""What the stages hand to each other: indices, manifests, failures, headers and trees in pieces.

In: values. Out: bytes with a seal, and back. The standard library alone, as gather starts with it.
"""
