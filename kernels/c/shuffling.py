"""The orders of epochs, in C; the same for nets of either dtype."""

from .dispatch import f32

shuffle = f32.shuffle
