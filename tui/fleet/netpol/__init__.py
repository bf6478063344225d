"""Network policies of running clusters: the verdict engine over what the store holds, kept up off the event loop.

    store ──needs──▶ what is watched            rows that changed ──model (a thread)──▶ State: rulebook, ends, caveats

Nothing is watched or worked out for a cluster until somebody looks at it.
"""
