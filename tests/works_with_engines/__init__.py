"""Real engines of other packages: ``make works-with-engines`` runs each in a process of its own."""
