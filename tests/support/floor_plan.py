"""The floor plan: which rooms there are, on which floor, and what each may import.

It stands here and nowhere else; CONTRIBUTING.md draws it.
"""

import re

ROOT_FILES = {
    "analyzer": {"__init__", "__main__", "_version", "api", "errors", "registry"},
    "jobs": {"__init__", "__main__", "analysis", "errors", "retry", "types"},
    "": {"ina_server", "ina_worker", "setup"},
}
"""The loose files of a package's root, and of the tree's."""

MAY_IMPORT_PACKAGES = {
    "analyzer": "ina_cli ina_input ina_web joblist",
    "ina": "analyzer ina_cli ina_web joblist jobs",
    "ina_cli": "ina_input",
    "ina_input": "",
    "ina_server": "ina ina_cli",
    "ina_web": "ina_input joblist",
    "ina_worker": "ina ina_cli",
    "joblist": "ina_input",
    "jobs": "ina_cli ina_input ina_web joblist",
}
"""Package or launcher -> packages that it imports: `ina` alone knows faces and leases."""
NOT_INSTALLED = {"benchmarks", "tests", "tools"}
"""Packages of the tree that the rules do not concern."""

FLOORS = {
    "analyzer": (
        "errors types _version",
        "attributes files imaging inference observations options plugins registry weights",
        "demo export identities pages reports shares stages",
        "collection pipeline results",
        "ask audit erasure evaluation gallery live review sampling training workflows",
        "api commands __main__",
    ),
    "jobs": (
        "analysis errors retry types",
        "inputs ledger outputs system wire",
        "server worker",
        "dashboard standalone",
        "slurm",
        "commands __main__",
    ),
}
"""From the ground up: a room imports rooms of its own floor and of lower ones, as allowed below."""

MAY_IMPORT = {
    "analyzer": {
        "": "_version api",
        "__main__": "commands",
        "_version": "",
        "api": "errors export gallery inference options pipeline registry reports results review "
        "types workflows",
        "ask": "errors files gallery imaging options pipeline registry",
        "attributes": "errors types",
        "audit": "attributes errors evaluation files registry reports results sampling shares "
        "types",
        "collection": "attributes errors files inference registry reports results shares stages "
        "types weights",
        "commands": "_version audit collection erasure errors evaluation files inference live "
        "options pages pipeline registry results review sampling types weights workflows",
        "demo": "errors files",
        "erasure": "errors files gallery identities reports results review types",
        "errors": "",
        "evaluation": "attributes errors files imaging inference observations options pipeline "
        "registry stages types",
        "export": "attributes errors files imaging inference observations options registry "
        "reports shares types",
        "files": "errors types",
        "gallery": "attributes errors files imaging pipeline registry types",
        "identities": "errors registry types weights",
        "imaging": "errors types",
        "inference": "errors files registry",
        "live": "errors files inference observations pipeline stages types",
        "observations": "attributes imaging types",
        "options": "errors imaging registry weights",
        "pages": "files",
        "pipeline": "_version attributes errors imaging inference observations options registry "
        "reports stages types",
        "plugins": "errors files",
        "registry": "errors plugins",
        "reports": "_version attributes errors files imaging inference registry types",
        "results": "errors export files inference registry reports types",
        "review": "attributes errors files imaging observations options pipeline reports results "
        "types",
        "sampling": "errors files options pipeline registry results shares types",
        "shares": "attributes errors files registry types",
        "stages": "attributes errors files imaging inference registry types weights",
        "training": "attributes errors evaluation files inference options registry stages types "
        "weights",
        "types": "",
        "weights": "attributes errors files inference",
        "workflows": "collection errors files gallery identities options pipeline registry reports "
        "results review types weights",
    },
    "jobs": {
        "": "",
        "__main__": "commands",
        "analysis": "",
        "commands": "analysis errors inputs ledger outputs server slurm standalone types wire",
        "dashboard": "errors ledger server system types wire",
        "errors": "",
        "inputs": "errors types",
        "ledger": "errors outputs retry system types",
        "outputs": "errors system types",
        "retry": "",
        "server": "errors ledger outputs retry system types wire",
        "slurm": ". analysis inputs ledger outputs retry standalone types worker",
        "standalone": "inputs ledger outputs retry system types worker",
        "system": "errors",
        "types": "",
        "wire": "errors types",
        "worker": "errors inputs outputs retry system types wire",
    },
}
"""Room -> rooms of the same package that it imports.

Files at the package's root are rooms; its `__init__.py` is `""` where it imports, and `.` where it
is imported.
"""

TRAINER_AND_DESCRIBER = ("analyzer.training.", "analyzer.stages.describe._dlib_")
"""The trainer starts from the network that the describer reads, and writes the file it reads."""
HEAVY = {
    *("PIL", "av", "cv2", "dlib", "duckdb", "faiss", "ffmpeg", "jinja2", "lxml", "markupsafe"),
    *("matplotlib",),
    *("onnx", "onnx2torch", "onnxruntime", "openvino", "pandas", "pyarrow", "pysubs2", "redis"),
    *("safetensors", "scenedetect", "scipy", "skimage", "torch", "ultralytics", "xlsxwriter"),
}
"""Libraries that are slow to import: at the top of plug-ins only, which the registry loads."""
ONLY_IN = {
    "os.replace": {
        *("analyzer.files.atomic", "analyzer.files.transaction", "analyzer.weights.download"),
        "jobs.outputs.publish",
    },
    "Path.rename": set(),
    "Path.replace": {"jobs.slurm.folder"},
    "hashlib.sha256": {"analyzer.files.hashing", "jobs.outputs.digests"},
    "os.rename": set(),
    "shutil.move": set(),
    "tempfile.mkstemp": set(),
}
"""Function -> the files that may use it.

`Path.replace` is any call of `.replace` with one value: that of a text takes two.
"""
TERMINAL = {"analyzer.options.arguments", "jobs.server.display"}
"""The files beside commands, `__main__` and `ina` that may know argparse and rich."""
WIRE = {"jobs.wire", "jobs.server", "jobs.worker"}
"""The rooms that may know Pyro5."""
PRIVATE_WORDS = re.compile(
    r"\b(whoever|whose|whom|another now|others now|as it were)\b", re.IGNORECASE
)
COMMAND_LINES = 200
FILE_LINES, FUNCTION_LINES = 400, 60
