"""`python -m nmt` is the same as `nmt`."""

import signal


def run() -> None:
    """Start the command line; a Ctrl-C before it is ready ends the process without a word."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not under nohup and &
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from nmt.cli.app import main

    main()


if __name__ == "__main__":
    run()
