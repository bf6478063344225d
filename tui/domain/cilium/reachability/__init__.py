"""The compiled form of the engine: who may reach whom, every pair at once."""
