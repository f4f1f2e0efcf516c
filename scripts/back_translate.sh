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
# on. After an interruption the same command goes on; a FOLDER of other texts is refused.
set -eu

if [ $# -lt 6 ]; then
    sed -n 's/^#   \(scripts.*\)/usage: \1/p' "$0" >&2
    exit 2
fi
source=$1 target=$2 valid_source=$3 valid_target=$4 more=$5 folder=$6
shift 6
for file in "$source" "$target" "$valid_source" "$valid_target" "$more"; do
    if [ ! -r "$file" ]; then
        echo "back_translate.sh: error: $file: no such file, or one that may not be read" >&2
        exit 1
    fi
done

mkdir -p "$folder"
for file in "$source" "$target" "$valid_source" "$valid_target" "$more"; do
    cksum <"$file"
done >"$folder/inputs.new"
if [ -e "$folder/inputs" ] && ! cmp -s "$folder/inputs" "$folder/inputs.new"; then
    rm "$folder/inputs.new"
    echo "back_translate.sh: error: $folder was begun with other texts; choose another folder" >&2
    exit 1
fi
mv "$folder/inputs.new" "$folder/inputs"

if [ ! -e "$folder/corpus" ]; then
    nmt preprocess --train-source "$source" --train-target "$target" \
        --valid-source "$valid_source" --valid-target "$valid_target" -o "$folder/corpus"
fi
nmt train "$folder/corpus" --reverse -o "$folder/reverse" "$@"
if [ ! -e "$folder/back.txt" ]; then
    nmt translate "$folder/reverse" "$more" -o "$folder/back.txt"
fi
if [ ! -e "$folder/enriched" ]; then
    nmt preprocess --train-source "$source" --train-source "$folder/back.txt" \
        --train-target "$target" --train-target "$more" \
        --valid-source "$valid_source" --valid-target "$valid_target" -o "$folder/enriched"
fi
echo "Next: nmt train $folder/enriched -o MODEL" >&2
