"""The types that users see: mypy checks these files (`make check`), nothing runs them."""  # noqa: A005
