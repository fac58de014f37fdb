"""Personal data apart from any database: what an address is, what an export holds, how long."""
