"""Installs the peers, prepares the data, and trains the models that translation is timed with.

    python -m benchmarks.peers --data DIR

DIR holds {train,val,test_2016_flickr}.{en,de}. Everything goes to benchmarks/.work; what is there
already is not made again.
"""

import argparse

from benchmarks.contestants import ALL, PEERS
from benchmarks.contestants.base import add_data_option, prepare_data


def main() -> None:
    """Read the command line and do what is not done yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_option(parser)
    parser.add_argument("--only", choices=list(ALL), action="append", help="only this toolkit")
    parser.add_argument("--minutes", type=float, default=20, help="training time of each model")
    parser.add_argument("--core", type=int, default=0, help="the core to train on")
    options = parser.parse_args()
    prepare_data(options.data)
    for name in options.only or PEERS:
        toolkit = ALL[name]
        print(f"{name}: installing", flush=True)
        toolkit.install()
        toolkit.prepare()
        print(f"{name}: training for {options.minutes:g} minutes", flush=True)
        toolkit.train_model(options.minutes, options.core)


if __name__ == "__main__":
    main()
