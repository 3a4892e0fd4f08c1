"""The newsroom's API by strawberry-django: `/graphql/`, with GraphiQL in a browser."""
