"""The running fleet without a screen: watching, deriving, drafting. `runtime.Fleet` is the door."""
