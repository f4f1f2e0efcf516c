"""The texts of benchmarks/back_translation.py."""

from benchmarks.back_translation import split


def test_what_is_not_among_the_few_pairs_is_left_in_the_target_language_alone(tmp_path):
    sources, targets = (["a\u2028b", "", "c", "d"], ["A", "B\x0b", "C", ""])
    for language, lines in (("en", sources), ("de", targets)):
        (tmp_path / f"train.{language}").write_bytes("".join(f"{x}\n" for x in lines).encode())
    split(tmp_path / "train", 2, tmp_path / "parts")
    found = {path.name: path.read_bytes().decode() for path in (tmp_path / "parts").iterdir()}
    assert found == {"few.en": "a\u2028b\n\n", "few.de": "A\nB\x0b\n", "more.de": "C\n\n"}
