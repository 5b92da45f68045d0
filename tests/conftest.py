"""What all tests share."""

import os

# Tests run side by side: one thread for each NumPy, also in the kernels that they start.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
