"""The customer panel: what a contact of an account sees and does, each page over the same spine."""

from mailgate.web.panel.routes import routes
from mailgate.web.panel.site import Stores

__all__ = ["Stores", "routes"]
