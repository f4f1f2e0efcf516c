"""The long sentences of benchmarks/lengths.py."""

from benchmarks.lengths import STRETCHES, Dice, draw


def test_sentences_have_the_lengths_that_were_asked_for_and_none_comes_twice():
    dice, seen = Dice(1), set()
    found = [draw(dice, stretch, 20, seen) for stretch in STRETCHES]
    assert [(stretch[0], stretch[-1]) for stretch in (STRETCHES[0], STRETCHES[-1])] == [
        (6, 10),
        (56, 60),
    ]
    for stretch, pairs in zip(STRETCHES, found, strict=True):
        assert {len(pair.english.split()) in stretch for pair in pairs} == {True}
    everything = [pair for pairs in found for pair in pairs]
    assert len({pair.english for pair in everything}) == len(everything) == len(seen) == 220
    # As many clauses on both sides, and none lost.
    assert all(pair.english.count(";") == pair.german.count(";") for pair in everything)
    assert all(pair.german.endswith(".") for pair in everything)
    again = draw(Dice(1), STRETCHES[0], 20, set())
    assert again == found[0]
