"""The only code that imports the libraries of the systems outside."""
