"""Articles of the newsdesk with tags: what the APIs of all adapters serve."""
