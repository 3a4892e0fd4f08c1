"""The newsroom's API by Django Ninja: `/api/ninja/`, and `/api/ninja/docs`."""
