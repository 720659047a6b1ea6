//! Transports: smee, polling, ngrok; what is forwarded, byte for byte.

mod bytes;
mod command;
mod connection;
mod ngrok;
mod poll;
mod relay;
mod smee_server;
mod stage;
mod target;
