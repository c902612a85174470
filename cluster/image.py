"""Write an OCI image tar from files: ``python cluster/image.py --help``.

Needs nothing but Python, so that images can be built before envctl is installed.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from envctl.adapters.local.image_command import main

if __name__ == "__main__":
    sys.exit(main())
