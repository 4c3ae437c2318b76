"""What Keras has and fastmlp has not: a sentence for each, where it is asked for."""

_CONVOLUTION = "fastmlp has no convolution and no pooling: Flatten() makes rows of images"
_RECURRENT = "fastmlp has no recurrent layers: a Dense net takes a window of a series, flattened"
_ATTENTION = "fastmlp has no attention: it trains multilayer perceptrons"
_FUNCTIONAL = (
    "fastmlp has Sequential nets, of one input and one output; a connection around layers is "
    "layers.Residual([...])"
)
_GRAPH = "fastmlp has no tensors and no automatic differentiation; its layers work on NumPy arrays"

_SERIAL = "an object's get_config() and its class's from_config(config) are the way there and back"

_PARTS: dict[str, dict[str, tuple[str, ...]]] = {
    "layers": {
        _CONVOLUTION: ("Conv", "SeparableConv", "DepthwiseConv", "MaxPool", "AveragePool",
                       "AvgPool", "Adaptive", "GlobalMax", "GlobalAverage", "GlobalAvg",
                       "ZeroPadding", "Cropping", "UpSampling", "SpatialDropout", "GroupNorm",
                       "SpectralNorm"),
        "fastmlp changes no images and no sounds: do it before, to the arrays": (
            "Random", "CenterCrop", "Resizing", "AugMix", "AutoContrast", "ContrastLimited",
            "CutMix", "Equalization", "MaxNumBoundingBoxes", "MelSpectrogram", "MixUp",
            "RandAugment", "STFTSpectrogram", "Solarization",
        ),
        _RECURRENT: ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "TimeDistributed",
                     "StackedRNN", "ConvLSTM", "Masking"),
        _ATTENTION: ("Attention", "AdditiveAttention", "MultiHeadAttention", "GroupQueryAttention",
                     "TextVectorization", "ReversibleEmbedding"),
        _FUNCTIONAL: ("Concatenate", "Add", "Average", "Subtract", "Multiply", "Dot", "Maximum",
                      "Minimum", "concatenate", "add", "average", "dot", "multiply", "subtract",
                      "maximum", "minimum"),
        "fastmlp has no functions as layers: write a layer with forward and backward": (
            "Lambda", "Permute", "RepeatVector", "EinsumDense",
        ),
        "fastmlp runs its own layers: subclass layers.Layer, or call a layer's forward in it": (
            "FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper", "Wrapper", "Pipeline",
            "InputSpec",
        ),
        "layers.Input says the shape": ("InputLayer",),
        "fastmlp reads numbers: scikit-learn's OrdinalEncoder makes whole numbers of categories, "
        "for layers.Embedding and layers.CategoryEncoding": ("StringLookup", "IntegerLookup",
                                                             "Hashing", "HashedCrossing"),
        "scikit-learn's KBinsDiscretizer cuts a feature into intervals": ("Discretization",),
        _SERIAL: ("serialize", "deserialize"),
    },
    "activations": {
        "it changes the number of features": ("glu",),
        "it sorts the features; softmax is smooth": ("sparsemax",),
        "layers.ReLU(threshold=...) is 0 below, and activations.hard_shrink about 0": (
            "threshold",
        ),
        _SERIAL: ("serialize", "deserialize"),
    },
    "optimizers": {
        "fastmlp has SGD, Adam and the others of fastmlp.optimizers": (
            "Adafactor", "Ftrl", "Lamb", "Muon", "MultiOptimizer", "OptimizerMap",
            "ScheduleFreeAdamW",
        ),
        "fastmlp trains in float32 or float64, which need no scaling": ("LossScaleOptimizer",),
        _SERIAL: ("serialize", "deserialize"),
    },
    "schedules": {_SERIAL: ("serialize", "deserialize")},
    "losses": {
        "write a subclass of losses.Loss with call and gradient": (
            "CTC", "Circle", "Dice", "Tversky", "ctc", "circle", "dice", "tversky",
            "CategoricalGeneralizedCrossEntropy", "categorical_generalized_cross_entropy",
        ),
        _SERIAL: ("serialize", "deserialize"),
    },
    "metrics": {
        "write a subclass of metrics.Metric with update_state, result and reset_state": (
            "MeanIoU", "IoU", "BinaryIoU", "OneHotIoU", "OneHotMeanIoU", "ConcordanceCorrelation",
            "PearsonCorrelation", "Mean", "Sum", "MeanTensor", "concordance_correlation",
            "pearson_correlation",
        ),
        _SERIAL: ("serialize", "deserialize"),
    },
    "initializers": {
        "a function (shape, fan_in, fan_out, rng) is an initializer": (
            "STFT", "STFTInitializer", "stft",
        ),
        _SERIAL: ("serialize", "deserialize"),
    },
    "regularizers": {
        "a penalty is one of regularizers.L1L2, or is added by a layer of one's own": (
            "OrthogonalRegularizer", "orthogonal_regularizer", "Regularizer",
        ),
        _SERIAL: ("serialize", "deserialize"),
    },
    "constraints": {_SERIAL: ("serialize", "deserialize")},
    "fastmlp": {
        _FUNCTIONAL: ("Model", "Functional"),
        _GRAPH: ("ops", "KerasTensor", "Variable", "GradientTape", "function", "constant"),
        "fastmlp has no applications: no pre-trained nets": ("applications",),
        "fastmlp reads arrays, not tf.data and no folders of files": ("data", "preprocessing"),
    },
    "models": {_FUNCTIONAL: ("Model",)},
    "callbacks": {
        "fastmlp sends nothing over the net: a Callback of your own can": ("RemoteMonitor",),
        "fit returns a fastmlp.History, and keeps it in model.history": ("History",),
        "fit(verbose=...) shows progress": ("ProgbarLogger",),
        "fit takes a list of callbacks": ("CallbackList",),
        "ModelCheckpoint and BackupAndRestore write safetensors files": ("OrbaxCheckpoint",),
    },
    "utils": {
        "fastmlp draws no plots of a net: summary() is a table of its layers, and _repr_html_ one "
        "for notebooks": ("plot_model", "model_to_dot"),
        "fastmlp reads arrays: NumPy, pandas or lists": (
            "image_dataset_from_directory", "text_dataset_from_directory", "Sequence", "PyDataset",
            "timeseries_dataset_from_array", "audio_dataset_from_directory", "FeatureSpace",
            "array_to_img", "img_to_array", "load_img", "save_img", "get_file", "pad_sequences",
            "pack_x_y_sample_weight", "unpack_x_y_sample_weight",
        ),
        _GRAPH: ("get_source_inputs", "is_keras_tensor", "standardize_dtype"),
        "fit(verbose=...) says what is shown": (
            "Progbar", "disable_interactive_logging", "enable_interactive_logging",
            "is_interactive_logging_enabled",
        ),
        _SERIAL: (
            "Config", "deserialize_keras_object", "serialize_keras_object", "get_custom_objects",
            "get_registered_name", "get_registered_object",
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
    if module != "layers" or start in ("Add", "Dot", "RNN", "Lambda") or start[0].islower():
        return name == start
    return name.startswith(start)
