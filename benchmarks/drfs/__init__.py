"""An API of Django REST framework's, for stock DRF, adrf, aiodrf and Turbo ORM."""
