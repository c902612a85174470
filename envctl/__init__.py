"""envctl gives every merge request an environment of its own on Kubernetes, and takes it away again."""

__version__ = "0.1.0"
