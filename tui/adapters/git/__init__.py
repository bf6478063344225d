"""Drafts kept in private bare repositories. The user's own clone is only ever read."""
