"""Events in; terminal tree, logfmt, JSON, JUnit, GitLab sections and metrics out.

Progress goes to stderr and the result to stdout, whatever the mode: a pipe gets the result alone.
``sink.open_output`` is the one way in; nothing here imports ``workflow`` or an adapter, and rich is
only loaded when something is drawn on a terminal.
"""
