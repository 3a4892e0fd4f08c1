"""Nothing: the clients of the project ask its APIs."""

urlpatterns: list[object] = []
