"""The nouns of envctl: pure, frozen, typed. Nothing in here does I/O, prints or reads a clock."""
