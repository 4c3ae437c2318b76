"""Calls that introductory books and courses use on Sequential nets, by their chapters.

Each is a few lines of Python, run by itself with what PRELUDE has.
"""

PRELUDE = """
import io, os
import numpy as np
import fastmlp as keras
from fastmlp import Sequential, Input, layers, models, optimizers, losses, metrics, callbacks
from fastmlp import activations, constraints, initializers, regularizers, utils
from fastmlp.layers import Dense, Dropout, Flatten, Activation, BatchNormalization

rng = np.random.default_rng(0)
X_train, y_train = rng.normal(size=(60, 4)).astype("float32"), rng.integers(0, 3, 60)
X_valid, y_valid = rng.normal(size=(20, 4)).astype("float32"), rng.integers(0, 3, 20)
X_test, y_test = rng.normal(size=(20, 4)).astype("float32"), rng.integers(0, 3, 20)
target = rng.normal(size=60)
binary = rng.integers(0, 2, 60)
images = rng.integers(0, 256, (30, 8, 8)).astype("uint8")

def new(last="softmax", units=3):
    return keras.Sequential(
        [keras.Input(shape=(4,)), layers.Dense(8, activation="relu"), layers.Dense(units, activation=last)]
    )

def compiled():
    m = new()
    m.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    return m

model = compiled()
"""

CALLS = {
    "making a net": """
model = keras.Sequential(); model.add(keras.layers.Dense(8, activation="relu"))
model = keras.models.Sequential([keras.layers.Flatten(input_shape=[8, 8]), keras.layers.Dense(3)])
model = Sequential([Dense(8, input_dim=4, activation="relu"), Dense(1, activation="sigmoid")])
model = Sequential([Dense(8, input_shape=(4,)), Activation("relu"), Dense(3), Activation("softmax")])
model = keras.Sequential([keras.Input(shape=(4,)), layers.Dense(2)], name="my_model")
model = keras.Sequential([keras.layers.Input((4,)), layers.Dense(2)])
model = keras.Sequential([layers.Dense(2), layers.Dense(3)]); model.build((None, 4))
model = keras.Sequential([layers.Dense(2)]); model.build(input_shape=(None, 4)); model.summary()
model = Sequential(); model.add(Input(shape=(4,))); model.add(Dense(units=8, activation="tanh"))
model = Sequential([Dense(8, kernel_initializer="uniform", activation="relu", input_dim=4)])
model = Sequential([Dense(8, activation="relu", name="hidden"), Dense(1, name="out")])
model = keras.Sequential([layers.Rescaling(1.0 / 255, input_shape=(8, 8)), layers.Flatten(), Dense(3)])
model.add(layers.Dropout(0.5))
model.pop()
layers.Dense(300, "relu")
layers.Dense(10, kernel_initializer="he_normal", bias_initializer="zeros")
layers.Dense(10, activation="relu", kernel_initializer=initializers.HeNormal(seed=42))
layers.Dense(10, activation=activations.relu)
layers.Dense(10, activation=keras.activations.softmax)
layers.Dense(10, kernel_initializer=keras.initializers.VarianceScaling(scale=2.0, mode="fan_avg", distribution="uniform"))
layers.Dense(10, kernel_regularizer=keras.regularizers.l2(0.01))
layers.Dense(10, kernel_regularizer=regularizers.L1(0.01), bias_regularizer="l2")
layers.Dense(10, kernel_regularizer=regularizers.l1_l2(l1=0.01, l2=0.01))
layers.Dense(10, kernel_constraint=keras.constraints.max_norm(1.0))
layers.Dense(10, kernel_constraint=constraints.MaxNorm(3))
layers.Dense(10, use_bias=False)
layers.Dropout(rate=0.2)
layers.Dropout(0.2, seed=42)
layers.Flatten()
layers.BatchNormalization()
layers.BatchNormalization(momentum=0.9)
layers.Activation("elu")
layers.Activation(activations.selu)
layers.LeakyReLU(negative_slope=0.2)
layers.ReLU()
layers.Softmax()
layers.ELU(alpha=1.0)
layers.PReLU()
layers.AlphaDropout(rate=0.2)
layers.GaussianNoise(0.1)
layers.LayerNormalization()
layers.ActivityRegularization(l2=0.01)
layers.Normalization()
""",
    "looking at a net": """
model.summary()
model.summary(print_fn=lambda text: None)
model.layers
assert model.layers[0].units == 8
hidden = model.layers[1]; hidden.name
model.get_layer("dense").units
model.get_layer(index=0)
weights, biases = model.layers[0].get_weights(); assert weights.shape == (4, 8)
model.layers[0].set_weights([np.zeros((4, 8)), np.ones(8)])
model.layers[0].weights[0].shape
model.layers[0].kernel; model.layers[0].bias
w = model.get_weights(); model.set_weights(w)
len(model.weights); len(model.trainable_weights); len(model.non_trainable_weights)
model.count_params()
model.input_shape, model.output_shape
model.name
model.get_config()
keras.Sequential.from_config(model.get_config())
model.to_json()
keras.models.model_from_json(model.to_json())
clone = keras.models.clone_model(model); clone.set_weights(model.get_weights())
model.built
model.layers[0].trainable = False
for layer in model.layers[:-1]: layer.trainable = False
model.trainable = False
model.trainable_variables
model.layers[0].count_params()
""",
    "compiling": """
model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
model.compile(optimizer="rmsprop", loss="mse", metrics=["mae"])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["acc"])
new("sigmoid", 1).compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
new("sigmoid", 1).compile(optimizer="adam", loss="binary_crossentropy", metrics=["Precision", "Recall", "AUC"])
new("linear").compile(optimizer="adam", loss="mean_squared_error")
new("linear").compile(loss="mean_absolute_error", optimizer="adam")
new("linear").compile(loss="mse", optimizer="adam", metrics=["RootMeanSquaredError"])
new("linear").compile(loss=keras.losses.Huber(), optimizer="adam")
model.compile(loss=keras.losses.SparseCategoricalCrossentropy(), optimizer=keras.optimizers.Adam())
new("linear").compile(loss=losses.SparseCategoricalCrossentropy(from_logits=True), optimizer="adam")
model.compile(loss=losses.CategoricalCrossentropy(label_smoothing=0.1), optimizer="adam")
new("sigmoid", 1).compile(loss=losses.BinaryCrossentropy(), optimizer="adam", metrics=[metrics.BinaryAccuracy()])
model.compile(loss="sparse_categorical_crossentropy", metrics=[metrics.SparseCategoricalAccuracy(name="acc")])
model.compile(loss="kl_divergence", optimizer="adam")
new("sigmoid", 1).compile(loss="hinge", optimizer="adam")
new("softplus", 1).compile(loss="poisson", optimizer="adam")
new("linear").compile(loss="log_cosh", optimizer="adam")
new("linear").compile(loss="mape", optimizer="adam", metrics=["mse", "mae"])
optimizers.SGD(learning_rate=0.01, momentum=0.9, nesterov=True)
optimizers.SGD(learning_rate=1e-3, clipnorm=1.0)
optimizers.SGD(clipvalue=0.5)
optimizers.Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999)
optimizers.AdamW(learning_rate=1e-3, weight_decay=0.004)
optimizers.RMSprop(learning_rate=0.001, rho=0.9)
optimizers.Adagrad(learning_rate=0.001)
optimizers.Nadam(learning_rate=0.001)
optimizers.Adamax(); optimizers.Adadelta()
optimizers.get("adam")
optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.01, decay_steps=20, decay_rate=0.1))
optimizers.Adam(optimizers.schedules.PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001]))
optimizers.Adam(optimizers.schedules.CosineDecay(0.01, 100))
model.optimizer.learning_rate
model.optimizer.learning_rate = 0.02
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", run_eagerly=False)
""",
    "training": """
history = model.fit(X_train, y_train, epochs=2, validation_data=(X_valid, y_valid))
history = model.fit(X_train, y_train, batch_size=16, epochs=2, verbose=0)
model.fit(X_train, y_train, epochs=1, validation_split=0.2, verbose=2)
model.fit(X_train, y_train, 16, 2)
model.fit(x=X_train, y=y_train, epochs=1, shuffle=False, verbose=1)
model.fit(X_train, y_train, class_weight={0: 1.0, 1: 2.0, 2: 5.0}, verbose=0)
model.fit(X_train, y_train, sample_weight=np.ones(60), verbose=0)
model.fit(X_train, y_train, validation_data=(X_valid, y_valid, np.ones(20)), verbose=0)
model.fit(X_train, y_train, initial_epoch=1, epochs=3, verbose=0)
model.fit(X_train, y_train, steps_per_epoch=2, verbose=0)
model.fit(X_train, y_train, epochs=2, validation_data=(X_valid, y_valid), validation_freq=2, verbose=0)
model.fit(X_train.tolist(), y_train.tolist(), verbose=0)
model.fit(X_train, y_train.reshape(-1, 1), verbose=0)
import pandas as pd; model.fit(pd.DataFrame(X_train), pd.Series(y_train), verbose=0)
history = model.fit(X_train, y_train, epochs=2, verbose=0); history.history["loss"]; history.history["accuracy"]
history = model.fit(X_train, y_train, verbose=0); history.epoch; history.params; history.history.keys()
history = model.fit(X_train, y_train, verbose=0, validation_split=0.1); history.history["val_loss"]
import pandas as pd; pd.DataFrame(model.fit(X_train, y_train, epochs=2, verbose=0).history)
m = new(); m.compile("adam", "categorical_crossentropy"); m.fit(X_train, utils.to_categorical(y_train), verbose=0)
m = new("sigmoid", 1); m.compile("adam", "binary_crossentropy"); m.fit(X_train, binary, verbose=0)
m = new("linear", 1); m.compile("adam", "mse"); m.fit(X_train, target, verbose=0)
m = Sequential([Flatten(), Dense(3, "softmax")]); m.compile("adam", "sparse_categorical_crossentropy"); m.fit(images / 255, np.arange(30) % 3, verbose=0)
model.train_on_batch(X_train[:8], y_train[:8])
model.train_on_batch(X_train[:8], y_train[:8], return_dict=True)
model.reset_metrics()
keras.utils.set_random_seed(42)
keras.backend.clear_session()
""",
    "evaluating and predicting": """
model.evaluate(X_test, y_test)
model.evaluate(X_test, y_test, verbose=0)
loss, accuracy = model.evaluate(X_test, y_test, batch_size=8, verbose=0)
model.evaluate(X_test, y_test, return_dict=True)
model.predict(X_test[:3]).round(2)
model.predict(X_test[:3], verbose=0).argmax(axis=-1)
model.predict(X_test, batch_size=8)
model.predict_on_batch(X_test[:4])
model.test_on_batch(X_test, y_test)
model(X_test[:3])
model(X_test[:3], training=True)
y_proba = np.stack([model(X_test, training=True) for sample in range(5)]).mean(axis=0)
model.metrics_names
np.asarray(model(X_test[:1]))
model.predict(X_test[:1])[0, 0]
""",
    "callbacks": """
model.fit(X_train, y_train, epochs=3, verbose=0, validation_split=0.2, callbacks=[callbacks.EarlyStopping(patience=2, restore_best_weights=True)])
model.fit(X_train, y_train, verbose=0, callbacks=[callbacks.EarlyStopping(monitor="loss", patience=1)])
model.fit(X_train, y_train, verbose=0, validation_split=0.2, callbacks=[callbacks.ModelCheckpoint("best.keras", save_best_only=True)])
model.fit(X_train, y_train, verbose=0, callbacks=[callbacks.ModelCheckpoint("w.weights.h5", save_weights_only=True)])
model.fit(X_train, y_train, verbose=0, validation_split=0.2, callbacks=[callbacks.ReduceLROnPlateau(factor=0.5, patience=5)])
model.fit(X_train, y_train, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch: 0.01 * 0.1 ** (epoch / 20))])
model.fit(X_train, y_train, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch, lr: lr * 0.9)])
model.fit(X_train, y_train, verbose=0, callbacks=[callbacks.TensorBoard("logs")])
model.fit(X_train, y_train, verbose=0, callbacks=[callbacks.CSVLogger("log.csv")])
model.fit(X_train, y_train, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
model.fit(X_train, y_train, verbose=0, callbacks=[callbacks.BackupAndRestore("backup")])
model.fit(X_train, y_train, verbose=0, callbacks=callbacks.EarlyStopping(monitor="loss"))
class C(callbacks.Callback): on_epoch_end = lambda self, epoch, logs: print(logs["loss"])
model.fit(X_train, y_train, verbose=0, callbacks=[callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None)])
""",
    "saving": """
model.save("my_model.keras")
model.save("my_model.keras"); keras.models.load_model("my_model.keras")
model.save_weights("my.weights.h5"); model.load_weights("my.weights.h5")
""",
    "helpers": """
activations.relu(np.array([-1.0, 1.0]))
keras.models.save_model(model, "m.keras")
utils.to_categorical([0, 1, 2], num_classes=3)
utils.normalize(np.ones((2, 3)))
utils.split_dataset(X_train, left_size=0.8)
losses.mean_squared_error(np.ones((2, 1)), np.zeros((2, 1)))
losses.MeanSquaredError()(np.ones((2, 1)), np.zeros((2, 1)))
m = metrics.Accuracy(); m.update_state([1, 2], [1, 3]); m.result()
initializers.GlorotUniform()(shape=(3, 4))
keras.datasets.fashion_mnist.load_data
""",
}


def calls():
    """Return all calls, each with its chapter."""
    return [
        (chapter, line) for chapter, text in CALLS.items() for line in text.strip().splitlines()
    ]
