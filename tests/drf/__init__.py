"""An API of plain DRF, the same with one word changed, and the same in coroutines."""
