"""The normalisation rules: canonical composition, one kind of space, no control characters."""

import sys
import unicodedata

from nmt.data.normalization import UNICODE, rules

RULES = rules()


def test_every_rule_keeps_the_text_the_same_in_the_eyes_of_unicode():
    for text, becomes in RULES.items():
        if becomes.strip():
            assert unicodedata.normalize("NFC", text) == becomes


def test_every_composed_character_has_its_rule():
    for character in map(chr, range(sys.maxunicode + 1)):
        apart, normal = (UNICODE.normalize(form, character) for form in ("NFD", "NFC"))
        agreed = unicodedata.normalize("NFC", character) == normal  # five misprints do not
        if apart != normal and agreed:
            assert RULES[apart] == normal
        if character != normal and agreed and not character.isspace():
            assert RULES[character] == normal


def test_every_space_is_a_space_and_no_control_character_stays():
    for character in map(chr, range(1, sys.maxunicode + 1)):
        if character.isspace() and character != " ":
            assert RULES[character] == " "
        elif unicodedata.category(character) == "Cc":
            assert RULES[character] == ""


def test_what_people_see_stays():
    for character in "，ｍ²½…™ﬁ“”–—\u200c\u200d\u200b":
        assert character not in RULES
