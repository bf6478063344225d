"""Whether what an API server says goes on from what it said before, or its history is another: a restored backup.

All objects of an etcd share one counter. An etcd restored from a backup gives versions out again that it has given
out before, for other contents. Watching from a version that is yet to come is no error: nothing is sent until the
counter has passed it (https://github.com/kubernetes/kubernetes/issues/107457). So after a watch broke off, and once
the next one stands, a list of one object tells the counter.

Versions of one resource compare as numbers (KEP-5504, https://kubernetes.io/docs/reference/using-api/api-concepts/
#resource-versions); those that are no numbers are never called older.
"""

from __future__ import annotations


def older(version: str, than: str) -> bool:
    """Whether a resourceVersion is from before another one; false when one of them cannot be compared."""
    if not (version.isdecimal() and than.isdecimal()):
        return False
    return int(version) < int(than)
