"""envctl.yaml, the CI's variables, names: everything that is read before anything is planned."""
