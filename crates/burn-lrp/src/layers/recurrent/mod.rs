//! Recurrent layers, unrolled over their steps.

mod cell;
mod directions;
mod gate;
mod gru;
mod lstm;
mod rnn;
mod unrolled;
