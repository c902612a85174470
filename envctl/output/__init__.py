"""Events in; terminal tree, logfmt, JSON, JUnit, GitLab sections and metrics out."""
