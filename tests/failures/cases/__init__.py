"""The catalogue; a module is a family of causes and gives its cases as ``CASES``."""
