"""A Redis in memory."""

import fakeredis


class Redis(fakeredis.FakeRedis):
    def info(self, section=None):
        """Answer cacheops, which asks for the version; fakeredis does not know the command."""
        return {"redis_version": "7.4.0"}
