"""From ids to scores: encoder, attention, decoder, and their settings.

An order to read it in:

    config                              what a model can be made of
    state, layer                        what a recurrent layer is, and its single step
    lstm, gru, rnn, norm_lstm           the cells
    recurrent                           their table
    kernels, whole_lstm, loop           how layers run over whole sequences
    turn, encoder                       sources to what attention reads
    memory, attention, additive         where the decoder looks
    bridge, wiring, readout             the decoder's first states, its contexts, its last layer
    decoder, seq2seq                    all of it, over whole sequences
    stepper, feeding, deferred          the decoder step by step: search, and what feeds back
    reader                              the encoder in search
    linear, norm, dropout               what all of them use
    bounds                              how large numbers can become, for 8 bits
    cost                                how much there is to multiply
"""
