"""The web: the confirmation page, health, and the demo's mailbox; pages that need no script."""
