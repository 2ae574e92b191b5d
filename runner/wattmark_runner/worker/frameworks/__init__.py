"""How a Keras model infers on each of Keras's backends.

A module here has ``Compiled`` (see ``networks.streamed.Classifier``), ``gpu_names()``,
``on_gpu()`` and ``facts()``; a line in ``workloads/keras.py`` makes it known. KERAS_BACKEND is set
before it is imported.
"""

import os


def gpu_given() -> bool:
    """Does the run use a GPU? ``process.worker_environment`` leaves this process the one or none.

    Variables of the service's environment for a framework's device have no effect.
    """
    return bool(os.environ.get("CUDA_VISIBLE_DEVICES"))
