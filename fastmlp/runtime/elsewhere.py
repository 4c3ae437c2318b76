"""What Keras has and fastmlp has not: a sentence for each, where it is asked for."""

_CONVOLUTION = "fastmlp has no convolution and no pooling: Flatten() makes rows of images"
_RECURRENT = "fastmlp has no recurrent layers: a Dense net takes a window of a series, flattened"
_ATTENTION = "fastmlp has no attention: it trains multilayer perceptrons"
_FUNCTIONAL = (
    "fastmlp has Sequential nets, of one input and one output; a connection around layers is "
    "layers.Residual([...])"
)
_GRAPH = "fastmlp has no tensors and no automatic differentiation; its layers work on NumPy arrays"

_PARTS: dict[str, dict[str, tuple[str, ...]]] = {
    "layers": {
        _CONVOLUTION: ("Conv", "SeparableConv", "DepthwiseConv", "MaxPool", "AveragePool",
                       "GlobalMax", "GlobalAverage", "ZeroPadding", "Cropping", "UpSampling",
                       "SpatialDropout", "Random", "CenterCrop", "Resizing"),
        _RECURRENT: ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "TimeDistributed",
                     "StackedRNN", "ConvLSTM", "Masking"),
        _ATTENTION: ("Attention", "AdditiveAttention", "MultiHeadAttention",
                     "GroupQueryAttention", "TextVectorization"),
        _FUNCTIONAL: ("Concatenate", "Add", "Average", "Subtract", "Multiply", "Dot", "Maximum",
                      "Minimum", "concatenate", "add", "multiply", "subtract", "maximum"),
        "fastmlp has no functions as layers: write a layer with forward and backward": ("Lambda",),
        "fastmlp reads numbers: scikit-learn's OrdinalEncoder makes whole numbers of categories, "
        "for layers.Embedding and layers.CategoryEncoding": ("StringLookup", "IntegerLookup",
                                                             "Hashing", "HashedCrossing"),
        "scikit-learn's KBinsDiscretizer cuts a feature into intervals": ("Discretization",),
    },
    "fastmlp": {
        _FUNCTIONAL: ("Model", "Functional"),
        _GRAPH: ("ops", "KerasTensor", "Variable", "GradientTape", "function", "constant"),
        "fastmlp has no applications: no pre-trained nets": ("applications",),
        "fastmlp reads arrays, not tf.data and no folders of files": ("data", "preprocessing"),
    },
    "losses": {"fastmlp has no such loss: write a subclass of losses.Loss with call and "
               "gradient": ("CTC", "Circle", "Dice", "Tversky", "ctc", "circle", "dice",
                            "tversky")},
    "metrics": {"fastmlp has no such metric: write a subclass of metrics.Metric with "
                "update_state, result and reset_state": ("MeanIoU", "IoU", "BinaryIoU", "OneHotIoU",
                                                         "OneHotMeanIoU", "ConcordanceCorrelation",
                                                         "PearsonCorrelation", "Mean", "Sum",
                                                         "MeanTensor")},
    "models": {_FUNCTIONAL: ("Model",)},
    "callbacks": {"fastmlp sends nothing over the net: a Callback of your own can": (
        "RemoteMonitor",
    )},
    "utils": {
        "fastmlp draws no plots of a net: summary() is a table of its layers, and _repr_html_ one "
        "for notebooks": ("plot_model", "model_to_dot"),
        "fastmlp reads arrays: NumPy, pandas or lists": (
            "image_dataset_from_directory", "text_dataset_from_directory", "Sequence", "PyDataset",
            "timeseries_dataset_from_array",
        ),
    },
}  # fmt: skip


def refusal(module: str, name: str) -> AttributeError:
    """Return the error for a name that a module does not have."""
    full = "fastmlp" if module == "fastmlp" else f"fastmlp.{module}"
    for sentence, starts in _PARTS.get(module, {}).items():
        if any(_names(start, name, module) for start in starts):
            return AttributeError(f"{full}.{name} does not exist: {sentence}", name=name)
    return AttributeError(f"module {full!r} has no attribute {name!r}", name=name)


def _names(start: str, name: str, module: str) -> bool:
    """Whether a name of Keras is this one, or for layers begins so: Conv stands for Conv2D."""
    if module != "layers" or start in ("Add", "Dot", "RNN", "Lambda", "add"):
        return name == start
    return name.startswith(start)
