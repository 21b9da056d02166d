"""The command line. One file a command; each loads what it needs only once it runs."""

from .main import main as main, run as run
