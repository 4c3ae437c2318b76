"""Callbacks: what happens around the epochs and the batches of a fit.

An epoch runs in compiled code, many batches a call.  Where a callback has a hook for single
batches, each batch is a call of its own; nobody else pays for that.
"""

from ..runtime.elsewhere import refusal
from .backup_and_restore import BackupAndRestore
from .base import Callback, Logs, check_callbacks, having
from .csv_logger import CSVLogger
from .early_stopping import EarlyStopping
from .lambda_callback import LambdaCallback
from .learning_rate import LearningRateScheduler, ReduceLROnPlateau
from .model_checkpoint import ModelCheckpoint
from .swap_ema_weights import SwapEMAWeights
from .tensorboard import TensorBoard
from .terminate_on_nan import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "LambdaCallback",
    "LearningRateScheduler",
    "Logs",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
    "check_callbacks",
    "having",
]


def __getattr__(name: str) -> object:
    """Raise the error for what Keras has and fastmlp has not, with what there is instead."""
    raise refusal("callbacks", name)
