"""The replies intake gives: fixed wording, one ASCII line, nothing of what the client sent."""

from __future__ import annotations

from mailgate.model.envelope import Reply

OK = Reply(250, "0.0", "OK")
SENDER_OK = Reply(250, "1.0", "OK")
RECIPIENT_OK = Reply(250, "1.5", "OK")
BYE = Reply(221, "0.0", "Bye")
HELP = Reply(214, "0.0", "See RFC 5321 and RFC 2033")
CANNOT_VERIFY = Reply(252, "5.2", "Cannot verify, but send it and see")
READY_FOR_TLS = Reply(220, "0.0", "Ready to start TLS")

# 421: the connection ends (RFC 5321 §3.8). Always temporary, so the MTA keeps its mail.
SHUTTING_DOWN = Reply(421, "3.2", "Shutting down, try again later")
IDLE = Reply(421, "4.2", "Idle for too long, closing")
TOO_SLOW = Reply(421, "4.2", "Content comes too slowly, closing")
TOO_MANY_CONNECTIONS = Reply(421, "7.0", "Too many connections, try again later")
TOO_MANY_ERRORS = Reply(421, "7.0", "Too many errors, closing")
TOO_MANY_COMMANDS = Reply(421, "7.0", "Too many commands without a message, closing")
NOT_LISTED = Reply(421, "7.1", "Not a listed peer, closing")
NOT_SMTP = Reply(421, "7.0", "This is not the protocol spoken here, closing")

TOO_MANY_RECIPIENTS = Reply(452, "5.3", "Too many recipients, send the rest in another transaction")

LINE_TOO_LONG = Reply(500, "5.2", "Line too long")
UNRECOGNIZED = Reply(500, "5.1", "Command unrecognized")
BAD_SYNTAX = Reply(501, "5.2", "Syntax error")
NO_ARGUMENT = Reply(501, "5.4", "No argument allowed")
HELLO_SYNTAX = Reply(501, "5.4", "A host name is needed")
BAD_PARAMETER = Reply(501, "5.4", "Bad parameter value")
NOT_IMPLEMENTED = Reply(502, "5.1", "Command not implemented")
HELLO_FIRST = Reply(503, "5.1", "Say hello first")
NESTED_MAIL = Reply(503, "5.1", "A mail transaction is open already")
MAIL_FIRST = Reply(503, "5.1", "MAIL first")
RECIPIENT_FIRST = Reply(503, "5.1", "No valid recipient")
TLS_ACTIVE = Reply(503, "5.1", "TLS is active already")
TLS_FIRST = Reply(530, "7.0", "Issue a STARTTLS command first")
NOT_A_DESK = Reply(550, "7.1", "No such recipient here")
BAD_ADDRESS = Reply(553, "1.3", "Malformed address")
ADDRESS_NEEDS_SMTPUTF8 = Reply(553, "6.7", "Address is not ASCII and SMTPUTF8 was not asked for")
UNKNOWN_PARAMETER = Reply(555, "5.4", "Parameter not recognized")


def queued(*queue_ids: str) -> Reply:
    """Said only after the commit: from here on the message is ours (RFC 5321 §6.1).

    A message for very many desks names the first ids only, for the line's length (§4.5.3.1.5).
    """
    return Reply(250, "0.0", f"OK id={','.join(queue_ids[:16])}")
