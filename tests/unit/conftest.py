"""Settings of all unit tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A machine that builds something beside the tests is no reason to fail: time is not what they test.
settings.register_profile(
    "unit",
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("unit")
