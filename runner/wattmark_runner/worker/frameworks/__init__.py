"""How a Keras model infers on each of Keras's backends.

A module here has ``Compiled`` (see ``zoo.network.Classifier``), ``gpu_names()``, ``on_gpu()`` and
``facts()``; a line in ``workloads/zoo.py`` makes it known. KERAS_BACKEND is set before it is
imported.
"""

import os


def gpu_given() -> bool:
    """Does the run use a GPU? ``process.worker_environment`` leaves this process the one or none.

    What the service's environment says of a framework's device counts for nothing.
    """
    return bool(os.environ.get("CUDA_VISIBLE_DEVICES"))
