"""The cluster, through ``kubernetes.aio``: one credential, one connection pool, typed errors."""
