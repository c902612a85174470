"""Builds the container images of the examples without Docker, a registry or root.

Programs are compiled static by Go; servers come out of Debian packages. Each image is built
once and kept in a cache folder under a name that says what went into it.
"""
