#!/bin/sh
# Turns text in the target language into training pairs (Sennrich et al. 2016, "Improving Neural
# Machine Translation Models with Monolingual Data"): a model of the other direction translates it
# back, and the pairs, of which people wrote the target side, join the corpus.
#
#   scripts/back_translate.sh SOURCE TARGET VALID_SOURCE VALID_TARGET MORE_TARGET FOLDER [OPTION...]
#
# The first four are the pairs to train and to validate on; the OPTIONs (--time-limit 20m) go to
# `nmt train` of the other direction. FOLDER gets corpus/ (the pairs alone), reverse/ (the model of
# the other direction), back.txt (MORE_TARGET, translated back) and enriched/, the corpus to train
# on. After an interruption the same command goes on; a FOLDER of other pairs is refused. With
# another MORE_TARGET, or OPTIONs that train reverse/ further, back.txt and enriched/ are made anew.
set -eu

fail() {
    echo "back_translate.sh: error: $1" >&2
    exit 1
}

# Read a file to its end, as nmt will after hours; exits with 3 where nmt would refuse it then.
read_through() {
    python3 -c '
import gzip, lzma, sys, zlib
path, longest = sys.argv[1], 1 << 20
kinds = {".gz": gzip.open, ".xz": lzma.open}
try:
    with kinds.get(path[-3:], open)(path, "rb") as file:
        for line in iter(lambda: file.readline(longest + 2), b""):
            line.decode()
            if len(line.rstrip(b"\n")) > longest:
                sys.exit(3)
except (ValueError, EOFError, OSError, zlib.error, lzma.LZMAError):
    sys.exit(3)
' "$1" 2>/dev/null
}

if [ $# -lt 6 ]; then
    sed -n 's/^#   \(scripts.*\)/usage: \1/p' "$0" >&2
    exit 2
fi
source=$1 target=$2 valid_source=$3 valid_target=$4 more=$5 folder=$6
shift 6
for file in "$source" "$target" "$valid_source" "$valid_target" "$more"; do
    [ -r "$file" ] || fail "$file: no such file, or one that may not be read"
    [ -f "$file" ] && [ -s "$file" ] || fail "$file: this is empty, or no file to be read twice"
done
found=0
read_through "$more" || found=$?
if [ "$found" -eq 3 ]; then
    fail "$more: this is damaged, not valid UTF-8, or has a line of over a megabyte; mend it"
fi

mkdir -p "$folder"
for file in "$source" "$target" "$valid_source" "$valid_target"; do
    cksum <"$file"
done >"$folder/inputs.new"
if [ -e "$folder/inputs" ] && ! head -n 4 "$folder/inputs" | cmp -s - "$folder/inputs.new"; then
    rm "$folder/inputs.new"
    fail "$folder was begun with other pairs; choose another folder"
fi
mv "$folder/inputs.new" "$folder/inputs"

if [ ! -e "$folder/corpus" ]; then
    nmt preprocess --train-source "$source" --train-target "$target" \
        --valid-source "$valid_source" --valid-target "$valid_target" -o "$folder/corpus"
fi
nmt train "$folder/corpus" --reverse -o "$folder/reverse" "$@"

# Checksums of what back.txt is made of; enriched.of gets a copy when enriched/ is made of back.txt.
for file in "$more" "$folder/reverse/model.safetensors"; do
    cksum <"$file"
done >"$folder/back.new"
if [ -e "$folder/back.of" ] && ! cmp -s "$folder/back.of" "$folder/back.new"; then
    echo "back_translate.sh: MORE_TARGET or $folder/reverse has changed:" \
        "$folder/back.txt and $folder/enriched are made anew" >&2
    rm -f "$folder/back.txt" "$folder/back.txt.part" "$folder/back.txt.part.json"
fi
mv "$folder/back.new" "$folder/back.of"

if [ ! -e "$folder/back.txt" ]; then
    nmt translate "$folder/reverse" "$more" --invalid-utf8 error -o "$folder/back.txt"
fi
if [ ! -e "$folder/enriched" ] || ! cmp -s "$folder/enriched.of" "$folder/back.of"; then
    nmt preprocess --train-source "$source" --train-source "$folder/back.txt" \
        --train-target "$target" --train-target "$more" --overwrite \
        --valid-source "$valid_source" --valid-target "$valid_target" -o "$folder/enriched"
    cp "$folder/back.of" "$folder/enriched.of"
fi
echo "Next: nmt train $folder/enriched -o MODEL" >&2
