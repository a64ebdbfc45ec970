"""This project beside its peers: the same work, on the same machine, in the same run.

One module per question; each measures and returns a `report.Question`. ``python -m benchmarks``
asks them all and writes ``RESULTS.md``. Peers are used as their documentation says, in the setting
that is quickest here among those that are right; where a peer would take hours, it does a part of
the work, and the table says what it was extrapolated from.
"""
