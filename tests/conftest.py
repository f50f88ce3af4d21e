"""What all tests share: hypothesis profiles, and a seed that is printed and can be given."""

from __future__ import annotations

import os
import random
import signal
import threading

import pytest
from hypothesis import HealthCheck, settings

# Random surrogates are drawn from hundreds of choices and rejected where they are not well-defined.
_QUIET = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
# A change is judged by the same examples each time; elsewhere every run draws new ones.
CI = bool(os.environ.get("CI"))
settings.register_profile(
    "dev",
    max_examples=25,
    deadline=None,
    print_blob=True,
    suppress_health_check=_QUIET,
    derandomize=CI,
    database=None if CI else settings.default.database,
)
settings.register_profile(
    "ci", max_examples=300, deadline=None, print_blob=True, suppress_health_check=_QUIET
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

# Workers of pytest-xdist inherit the seed from the process that started them.
SEED = int(
    os.environ.setdefault("SURROGATE_SEED", "1" if CI else str(random.SystemRandom().randrange(2**32)))
)


# What a shell starts in the background ignores Ctrl-C, and so would the processes that tests interrupt.
_MAIN = threading.current_thread() is threading.main_thread()  # no other may say what signals do
if _MAIN and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes more than a few seconds")


def pytest_report_header(config: pytest.Config) -> str:
    profile = os.environ.get("HYPOTHESIS_PROFILE", "dev")
    return f"surrogate calculus: SURROGATE_SEED={SEED}, HYPOTHESIS_PROFILE={profile}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    outcome = yield
    report = outcome.get_result()
    if report.failed and "rng" in getattr(item, "fixturenames", ()):
        report.sections.append(("seed", f"run again with SURROGATE_SEED={SEED}"))


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """A generator of its own for each test, from the session's seed and the test's name."""
    return random.Random(f"{SEED} {request.node.name}")
