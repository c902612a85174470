"""Every merge request gets an environment of its own on Kubernetes, and loses it again."""

__version__ = "0.1.0"
