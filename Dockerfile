# The embedded default on the CPU:      docker build -t soyle .
# With torch for an NVIDIA GPU:         docker build -t soyle --build-arg CUDA=1 .
# With torch for the CPU:               docker build -t soyle --build-arg NEURAL=1 --build-arg TORCH_INDEX=<PyTorch's CPU index> .
# For a cluster (docs/cluster.md):        docker build -t soyle:cluster --build-arg CLUSTER=1 .
# torch brings CUDA's own libraries, so the base is the same; the host needs its driver and the
# NVIDIA container toolkit (docker run --gpus all).
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
ARG CUDA=
ARG NEURAL=
ARG CLUSTER=
ARG TORCH_INDEX=
ARG MODELS="face"
ENV PIP_NO_CACHE_DIR=1
WORKDIR /opt/soyle
COPY . .
RUN REQUIREMENTS="$([ -n "$CUDA$NEURAL" ] && echo requirements.txt || echo requirements-core.txt) \
        ${CLUSTER:+requirements-cluster.txt}" \
    deploy/install.sh

FROM ${BASE}
LABEL org.opencontainers.image.title="Soyle" \
      org.opencontainers.image.description="Turns text into a talking face, live, in Russian, Kazakh and English" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/soyle /opt/soyle
# Any uid will do, one without a name too; gid 0 may write to the volumes whatever the uid.
RUN mkdir -p /data/avatars /data/work /data/cache \
    && chown -R 10001:0 /data && chmod -R g=u /data
ENV PYTHONUNBUFFERED=1 \
    LISTEN=0.0.0.0:3000 \
    AVATAR_DIR=/data/avatars \
    WORK_DIR=/data/work \
    XDG_CACHE_HOME=/data/cache
# XDG_CACHE_HOME keeps what numba compiles, for this machine's processor; without a volume there
# each start compiles it anew.
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility,video
WORKDIR /opt/soyle
USER 10001:0
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["/opt/soyle/.venv/bin/python", "/opt/soyle/app.py", "health"]
ENTRYPOINT ["/opt/soyle/deploy/start.sh"]
