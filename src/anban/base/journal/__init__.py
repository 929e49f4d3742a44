"""The append-only, Merkle-sealed record of every change (全过程记录)."""
