"""Drafts as values: the model, where one stands, its commits, conflicts, messages and what it would do."""
