"""Hubble's side of a demo cluster: who talks to whom, what the policies say to it, and how an agent logs it."""
