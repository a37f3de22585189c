# syntax=docker/dockerfile:1
# docker build --target cpu -t ina:cpu .       any machine
# docker build --target cuda -t ina:cuda .     NVIDIA cards; run it with --gpus all

FROM python:3.11-slim-bookworm AS wheel
WORKDIR /src
COPY setup.py pyproject.toml README.md LICENSE ina_server.py ina_worker.py ./
COPY analyzer analyzer
COPY ina ina
COPY ina_cli ina_cli
COPY ina_input ina_input
COPY ina_web ina_web
COPY joblist joblist
COPY jobs jobs
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /dist .

FROM python:3.11-slim-bookworm AS cpu
# libGL and glib are OpenCV's. Security fixes of the base come with its tag: versions are not pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*
# The versions that were tested.
RUN --mount=type=bind,from=wheel,source=/dist,target=/dist \
    --mount=type=bind,source=constraints,target=/constraints \
    set -- /dist/*.whl \
    && pip install --no-cache-dir --constraint /constraints/python3.11.txt "$1[cpu,weights,review,metrics]"
RUN useradd --create-home --uid 10001 ina
USER 10001
WORKDIR /data
ENTRYPOINT ["python", "-m", "jobs"]
CMD ["--help"]

FROM nvidia/cuda:12.6.3-cudnn-runtime-ubuntu24.04 AS cuda
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg libgl1 libglib2.0-0t64 python3-venv \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/ina
ENV PATH=/opt/ina/bin:$PATH
# The versions that were tested.
RUN --mount=type=bind,from=wheel,source=/dist,target=/dist \
    --mount=type=bind,source=constraints,target=/constraints \
    set -- /dist/*.whl \
    && pip install --no-cache-dir --constraint /constraints/python3.12.txt "$1[gpu,weights,review,metrics]"
RUN useradd --create-home --uid 10001 ina
USER 10001
WORKDIR /data
ENTRYPOINT ["python", "-m", "jobs"]
CMD ["--help"]
