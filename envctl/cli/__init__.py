"""The command line: one file per verb. A command parses, calls one workflow, renders, exits."""
