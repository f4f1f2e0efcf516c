"""Where the benchmarks keep what they measure."""

from pathlib import Path

from benchmarks.ablation import VARIANTS
from benchmarks.quality import beside


def test_each_variant_has_translations_and_a_log_of_its_own():
    for ending in (".beam5.de", ".log"):
        assert len({beside(Path(name), ending) for name in VARIANTS}) == len(VARIANTS)
    assert beside(Path("models/dropout-0.1"), ".log") == Path("models/dropout-0.1.log")
