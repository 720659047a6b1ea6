//! What a person sees when GitHub, the clock, the network or the machine misbehave: whole outputs.

mod github;
mod machine;
mod stage;
