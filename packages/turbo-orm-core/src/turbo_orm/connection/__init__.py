"""What Django sees while it runs in the bridge: the engine's wrapper and the connection."""
