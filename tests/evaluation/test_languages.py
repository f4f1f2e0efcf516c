"""Every target language gets a tokeniser that finds its words, or a sentence about it."""

import pytest

from nmt.evaluation.languages import bleu_tokenizer, guess_language, special_language


@pytest.mark.parametrize("language", [None, "", "de", "en-GB", "pt_BR", "deu_Latn", "xx", "hi"])
def test_languages_with_spaces_get_13a(language):
    assert bleu_tokenizer(language) == "13a"


@pytest.mark.parametrize(
    "language", ["zh", "ZH", "zh-CN", "zh_Hant", "zho_Hans", "cmn", "yue_Hant"]
)
def test_chinese_gets_its_own(language):
    assert bleu_tokenizer(language) == "zh"


@pytest.mark.parametrize(
    ("code", "key"),
    [("jpn_Jpan", "ja"), ("kor", "ko"), ("tha_Thai", "th"), ("mya", "my"), ("thv", None)],
)
def test_three_letter_codes_mean_the_same(code, key):
    assert special_language(code) == key


@pytest.mark.parametrize(
    ("lines", "language"),
    [
        (["Ein Hund läuft.", "Zwei Hunde laufen."], None),
        (["", " ", "123 !?", "👍"], None),
        (["Das Zeichen 狗 bedeutet Hund."], None),
        (["我喜欢狗。", "他说 OK。"], "zh"),
        (["犬が公園を走っています。"], "ja"),
        (["カタカナ"], "ja"),
        (["สุนัขวิ่งอยู่ในสวน"], "th"),
        (["ຂ້ອຍມັກໝາ"], "lo"),
        (["ខ្ញុំចូលចិត្តឆ្កែ"], "km"),
        (["ငါခွေးကိုကြိုက်တယ်"], "my"),
        (["나는 개를 좋아한다."], None),
        (["मुझे कुत्ते पसंद हैं।"], None),
        ([], None),
    ],
)
def test_a_script_without_spaces_is_recognised(lines, language):
    assert guess_language(lines) == language
