"""The ids of the special pieces: the same in every vocabulary of ours."""

PAD, UNK, BOS, EOS = 0, 1, 2, 3
