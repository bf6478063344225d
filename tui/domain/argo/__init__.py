"""Argo CD as plain values: Applications, what happened to them, health, resource trees, destinations."""
