"""How a Keras model infers on each of Keras's backends.

A module here has ``Compiled`` (see ``zoo.network.Classifier``), ``gpu_names()`` and ``facts()``;
a line in ``workloads/zoo.py`` makes it known. KERAS_BACKEND is set before it is imported.
"""
