"""Keras's defaults, whatever the user's ``~/.keras/keras.json`` says: runs stay comparable."""

import keras


def use_defaults(precision: str = "float32") -> None:
    """Call it before a model is built. ``precision``: the dtype policy of its layers."""
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_dtype_policy(precision)
