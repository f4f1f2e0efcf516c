"""Signals to stop: the first is noted, the second acts at once, and ignored ones stay ignored."""

import signal
import threading

import pytest

from nmt.signals import NAMES, StopSignals


class Acted(Exception):
    """What the handlers from before the block raise."""


@pytest.fixture(autouse=True)
def handlers():
    """Handlers that tell of their signal, and afterwards those from before."""

    def act(number, frame):
        raise Acted(number)

    before = {number: signal.signal(number, act) for number in NAMES}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_ctrl_c_sigterm_and_a_lost_terminal_are_those_that_stop():
    assert set(NAMES) == {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


@pytest.mark.parametrize("first", NAMES)
@pytest.mark.parametrize("second", NAMES)
def test_the_first_signal_is_noted_and_any_second_one_acts_at_once(first, second):
    with StopSignals() as signals:
        assert signals.received is None
        signal.raise_signal(first)
        assert signals.received == first
        with pytest.raises(Acted, match=str(int(second))):
            signal.raise_signal(second)
    assert signals.received == first
    with pytest.raises(Acted):  # after the block they are what they were before
        signal.raise_signal(first)


@pytest.mark.parametrize("number", NAMES)
def test_after_the_block_all_is_as_before_and_what_came_can_be_sent_on(number):
    before = [signal.getsignal(each) for each in NAMES]
    with StopSignals() as signals:
        signal.raise_signal(number)
    assert [signal.getsignal(each) for each in NAMES] == before
    with pytest.raises(Acted, match=str(int(number))):
        signals.again()
    with StopSignals() as signals:
        pass
    signals.again()  # nothing came
    assert [signal.getsignal(each) for each in NAMES] == before


@pytest.mark.parametrize("number", NAMES)
def test_what_was_ignored_stays_ignored(number):
    signal.signal(number, signal.SIG_IGN)
    others = set(NAMES) - {number}
    with StopSignals() as signals:
        signal.raise_signal(number)
        assert signals.received is None
        other = others.pop()
        signal.raise_signal(other)
        assert signals.received == other
        signal.raise_signal(number)
    assert signal.getsignal(number) is signal.SIG_IGN


@pytest.mark.parametrize(
    ("number", "sentence", "code"),
    [
        (signal.SIGINT, "Ctrl-C: stopped", 130),
        (signal.SIGTERM, "SIGTERM: stopped", 143),
        (signal.SIGHUP, "SIGHUP: stopped", 129),
    ],
)
def test_an_interruption_names_its_signal_and_has_its_exit_code(number, sentence, code):
    with StopSignals() as signals:
        signal.raise_signal(number)
    error = signals.interruption("stopped")
    assert (str(error), error.exit_code) == (sentence, code)


def test_threads_of_a_library_user_leave_signals_alone():
    before = [signal.getsignal(each) for each in NAMES]
    during = []

    def work() -> None:
        with StopSignals():
            during.extend(signal.getsignal(each) for each in NAMES)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert during == before
