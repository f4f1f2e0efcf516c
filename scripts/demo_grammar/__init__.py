"""A synchronous grammar: it draws a meaning and says it in English and in German.

`lexicon` reads the word lists (the .txt files beside it), `meaning` holds what a sentence says,
`english` and `german` put a meaning into words, `phrases` and `clauses` draw meanings at random,
and `sentences` joins clauses into whole sentences.
"""
