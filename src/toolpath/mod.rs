//! What a file makes a machine do: moves, bounds, estimates, previews.
