"""What all tests share: property tests are not judged by the clock, which other programs on the machine slow down."""

from hypothesis import HealthCheck, settings

settings.register_profile("calm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("calm")
