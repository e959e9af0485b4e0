"""What holds for every test."""

from hypothesis import settings

settings.register_profile("monitor", deadline=None)  # speed is measured in benchmarks, never in a test
settings.load_profile("monitor")
