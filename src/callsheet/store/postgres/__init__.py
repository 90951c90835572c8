"""PostgreSQL 14 and later: any number of nodes, fenced by leases and by row locks."""
