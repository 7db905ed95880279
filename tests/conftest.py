"""What holds for all tests."""

from hypothesis import Phase, settings

# The phase "explain" traces every line, which takes minutes before Python 3.12: a test that runs into its time limit there
# does not say what it has found.
settings.register_profile("farthing", phases=[phase for phase in Phase if phase is not Phase.explain])
settings.load_profile("farthing")
