"""Parts of a model that keep their weights in training."""

from torch import nn

from nmt.errors import SettingError, nearest


def trainable(model: nn.Module, frozen: str) -> list[slice]:
    """Return which stretches of the flat weights are trained.

    Args:
        model: its parameters in their order are the flat weights.
        frozen: parts that stay as they are, with commas between: parameters ("source_embedding")
            or what they begin with ("encoder", "decoder.layers.0").

    Raises:
        SettingError: there is no such part, or nothing is left to train.
    """
    parts = [part.strip() for part in frozen.split(",") if part.strip()]
    names = [name for name, _ in model.named_parameters()]
    known = {name[:end] for name in names for end in _ends(name)}
    for part in parts:
        if part not in known:
            raise SettingError(
                f"train.freeze: the model has no part '{part}'{nearest(part, known)}"
            )
    stretches: list[slice] = []
    start = 0
    for name, parameter in model.named_parameters():
        stop = start + parameter.numel()
        if not any(f"{name}.".startswith(f"{part}.") for part in parts):
            if stretches and stretches[-1].stop == start:
                stretches[-1] = slice(stretches[-1].start, stop)
            else:
                stretches.append(slice(start, stop))
        start = stop
    if not stretches:
        raise SettingError("train.freeze: nothing is left to train")
    return stretches


def within(stretches: list[slice], whole: slice) -> list[slice]:
    """Return what of some stretches lies in another."""
    cut = [slice(max(s.start, whole.start), min(s.stop, whole.stop)) for s in stretches]
    return [part for part in cut if part.start < part.stop]


def _ends(name: str) -> list[int]:
    """Return where the parts of a dotted name end."""
    return [at for at, letter in enumerate(name) if letter == "."] + [len(name)]
