"""What each verb does, as steps over ports; no printing, no I/O libraries."""
