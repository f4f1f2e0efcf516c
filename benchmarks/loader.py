"""How quickly batches are planned and assembled: target tokens for each second of processor time.

    python -m benchmarks.loader --data DIR

Divided into the speed of a training it is the share of its time that batches take.
"""

import argparse
import time

from benchmarks.contestants.base import add_data_option, prepare_data
from benchmarks.contestants.nmt import BATCH_TOKENS, Nmt
from benchmarks.report import machine, table
from nmt.data.corpus import Corpus, Split
from nmt.training.loader import Feed

EPOCHS = 3


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_option(parser)
    options = parser.parse_args()
    prepare_data(options.data)
    toolkit = Nmt()
    toolkit.prepare()
    print(machine(), flush=True)
    split = Corpus.open(toolkit.corpus).train
    rows = [[f"{tokens:,}", f"{speed(split, tokens):,.0f}"] for tokens in (BATCH_TOKENS, 2048)]
    print("\n" + table(["tokens a batch", "target tokens a second"], rows))


def speed(split: Split, batch_tokens: int) -> float:
    """Return target tokens a second of processor time, over whole epochs as in training."""
    feed = Feed(split, batch_tokens, seed=1)
    started = time.process_time()
    tokens = 0
    for epoch in range(EPOCHS):
        tokens += sum(batch.tokens for batch in feed.take(epoch, range(feed.batches(epoch))))
    return tokens / (time.process_time() - started)


if __name__ == "__main__":
    main()
