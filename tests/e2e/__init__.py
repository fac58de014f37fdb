"""The whole of mailgate between real programs: MTA, database, browser."""
