"""What a change of policies does: pairs, default deny, selection, recorded flows."""
