"""The hot door: identity checks over HTTP, many at once, each logged durably before it is answered.

A small RSGI application of its own beside the pages. `messages` knows the wire, `keys` and `replay` who may ask,
`coalescer` gathers what is asked at the same time, `line` carries it to the database: one call, one commit.
"""
