"""A small model learns what it should, all of it."""

import pytest

from nmt.decoding.options import SearchOptions
from nmt.decoding.translator import Translator
from tests.support.corpora import TASKS, digit_strings


@pytest.mark.parametrize("task", TASKS)
def test_digits_are_learnt_to_the_last_one(learned, task):
    model = learned(task).model
    translator = Translator.load(model, SearchOptions(beam_size=1), precision="fp32", device="cpu")
    held_out = digit_strings(200, seed=2)
    found = [translation.text for translation in translator.translate(held_out)]
    assert found == [TASKS[task](digits) for digits in held_out]
