"""The verdict engine: policies as entries, and the verdict of one flow with its reason."""
