"""Callbacks: what happens around the epochs and the batches of a fit.

An epoch runs in compiled code, many batches a call.  Where a callback has a hook for single
batches, each batch is a call of its own; nobody else pays for that.
"""

from typing import TYPE_CHECKING

from ..runtime.later import later
from .base import Callback, Logs, check_callbacks, having

if TYPE_CHECKING:
    from .backup_and_restore import BackupAndRestore
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

_LATER = {
    "BackupAndRestore": "backup_and_restore",
    "CSVLogger": "csv_logger",
    "EarlyStopping": "early_stopping",
    "LambdaCallback": "lambda_callback",
    "LearningRateScheduler": "learning_rate",
    "ModelCheckpoint": "model_checkpoint",
    "ReduceLROnPlateau": "learning_rate",
    "SwapEMAWeights": "swap_ema_weights",
    "TensorBoard": "tensorboard",
    "TerminateOnNaN": "terminate_on_nan",
}

__getattr__, __dir__ = later(__name__, _LATER)
