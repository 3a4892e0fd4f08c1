"""One project, two servers: what stock Django and ours must answer alike."""
