"""Recurrent layers, by the name of their cell."""

from nmt.models.gru import GRULayer
from nmt.models.layer import RecurrentLayer
from nmt.models.lstm import LSTMLayer
from nmt.models.norm_lstm import NormLSTMLayer
from nmt.models.rnn import RNNLayer

CELLS: dict[str, type[RecurrentLayer]] = {
    "lstm": LSTMLayer,
    "gru": GRULayer,
    "rnn": RNNLayer,
    "norm-lstm": NormLSTMLayer,
}
