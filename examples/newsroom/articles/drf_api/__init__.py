"""The newsroom's API by Django REST framework: `/api/drf/`, to be browsed or called."""
