"""Bad weather: each fault of a cluster, what is shown and asked meanwhile, and that nothing is lost or doubled."""
