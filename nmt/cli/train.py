"""`nmt train`: from a corpus folder to a model folder."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Annotated

import typer

from nmt.cli.options import Device, Quiet
from nmt.errors import UsageError

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def train(
    corpus: Annotated[str | None, typer.Argument(help="What nmt preprocess wrote.")] = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="The model folder.", metavar="MODEL")
    ] = None,
    preset: Annotated[
        str,
        typer.Option(
            help="One of --list-presets, or a .toml file; auto goes by the size of the corpus.",
            metavar="NAME",
        ),
    ] = "auto",
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Change a setting: model.hidden_size=768. Repeat.", metavar="KEY=VALUE"
        ),
    ] = None,
    time_limit: Annotated[
        str | None,
        typer.Option(help="Finish in this time: 90s, 20m, 1h30m.", metavar="TIME"),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Finish after N passes over the corpus.", min=1, metavar="N")
    ] = None,
    updates: Annotated[
        int | None, typer.Option(help="Finish after N updates.", min=1, metavar="N")
    ] = None,
    device: Device = "auto",
    precision: Annotated[
        str, typer.Option(help="auto, fp32 or bf16; auto asks the hardware.", metavar="P")
    ] = "auto",
    bleu_tokenize: Annotated[
        str | None,
        typer.Option(help="sacreBLEU's tokeniser, whatever the language.", metavar="T"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed is another run.", min=0, metavar="N")] = 1,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start anew where another model lies.")
    ] = False,
    reverse: Annotated[
        bool, typer.Option("--reverse", help="Translate the other way: target to source.")
    ] = False,
    init_from: Annotated[
        str | None,
        typer.Option(help="Begin with the weights of this model (fine-tuning).", metavar="MODEL"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what training would cost, and write nothing.")
    ] = False,
    list_settings: Annotated[
        bool, typer.Option("--list-settings", help="Print every setting and its meaning.")
    ] = False,
    list_presets: Annotated[
        bool,
        typer.Option(
            "--list-presets",
            help="Print every preset, with BLEU and speed in 2,000 updates of Multi30k.",
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the scores, costs, presets or settings as JSON.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Train a translator. The same command again goes on after an interruption.

    The learning rate falls to zero just at the limit, so that the model is finished then. Without
    a limit, training ends when validation stops getting better, or after 60 minutes.

    Example: nmt train corpus -o my-model --time-limit 20m

    Example: nmt train corpus -o big --preset base --epochs 10 --set train.dropout=0.3

    Example: torchrun --nproc-per-node=4 -m nmt train corpus -o model
    """
    if list_settings:
        print(settings_table(as_json))
        return
    if list_presets:
        print(presets_table(as_json))
        return
    if corpus is None or (output is None and not dry_run):
        raise UsageError("name the corpus and the model folder: nmt train CORPUS -o MODEL")
    from nmt import api
    from nmt.hardware import rank
    from nmt.progress import setup_logging

    leads = rank() == 0  # of the processes that torchrun started, one speaks for all
    setup_logging(quiet or not leads)
    if sum(value is not None for value in (time_limit, epochs, updates)) > 1:
        raise UsageError("give only one of --time-limit, --epochs and --updates")
    allowed = None if time_limit is None else seconds(time_limit)
    options = api.TrainOptions(
        preset=preset,
        changes=changes or [],
        limits=api.Limits(seconds=allowed, epochs=epochs, updates=updates),
        seed=seed,
        device=device,
        precision=precision,
        bleu_tokenize=bleu_tokenize,
        overwrite=overwrite,
        reverse=reverse,
        init_from=None if init_from is None else Path(init_from),
    )
    if dry_run or output is None:
        forecast = api.forecast_training(corpus, options)
        if leads:
            print(json.dumps(forecast.as_dict()) if as_json else "\n".join(forecast.lines()))
        return
    report = api.train(corpus, output, options)
    if as_json and leads:
        print(json.dumps(report.as_dict()))


def seconds(text: str) -> float:
    """Turn `90s`, `20m` or `1h30m` into seconds.

    Raises:
        UsageError: it is nothing of the kind, or zero.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
    total = sum(float(number) * UNITS[unit] for number, unit in parts)
    if not total or "".join(number + unit for number, unit in parts) != text:
        raise UsageError(f"--time-limit {text}: write it like 90s, 20m or 1h30m")
    return total


def settings_table(as_json: bool) -> str:
    """List every setting: its value in each of our own presets, and its meaning."""
    from nmt import api

    rows = [
        {"setting": found.name, **found.values, "meaning": found.meaning}
        for found in api.list_settings()
    ]
    if as_json:
        return json.dumps(rows, ensure_ascii=False)
    return _columns([list(rows[0]), *(list(row.values()) for row in rows)])


def presets_table(as_json: bool) -> str:
    """List every preset with what is known of it, as a table or as a JSON array."""
    from nmt import api
    from nmt.training.catalogue import as_table

    presets = api.list_presets()
    if as_json:
        return json.dumps([dataclasses.asdict(preset) for preset in presets], ensure_ascii=False)
    return _columns(as_table(presets))


def _columns(table: list[list[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )
