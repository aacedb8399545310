"""What all tests share: no clock for property tests, and an interrupt that reaches the processes that are started."""

import signal

from hypothesis import HealthCheck, settings

# Other programs on the machine slow property tests down.
settings.register_profile("calm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("calm")

# A shell that starts the tests in the background has them ignore Ctrl-C, and so would all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
