"""The web server's application, in a process that dies where `tests.faults.mortal` says."""

from config.wsgi import application
from tests.faults import mortal

mortal.arm()

__all__ = ["application"]
