"""DRF's own tests, from its source distribution, with every view a coroutine function of ours."""
