"""A real Gitea, and a runner that takes its jobs: for tests of what Gitea itself decides."""
