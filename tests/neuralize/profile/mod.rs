//! What clusters are: profiles against definitions, figures of other programs and brute force.

mod edges;
mod reference;
mod rules;
mod twins;
