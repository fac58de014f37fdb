"""Protocols in: SMTP and LMTP, the gate every door uses, and the one thread that commits."""
