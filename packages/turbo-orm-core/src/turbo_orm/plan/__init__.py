"""Cached plans: a queryset of a known shape is neither built nor compiled twice."""
