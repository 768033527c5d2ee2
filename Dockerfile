# linkproof, and its reference client and server as images of their own, which speak the contract:
#
#   docker build -t linkproof .
#   docker build -t linkproof-client --target client .
#   docker build -t linkproof-server --target server .
#
# Where Docker Hub is out of reach: --build-arg BASE_IMAGE=NAME, of any image with Python 3.11 or newer and pip.
ARG BASE_IMAGE=python:3.11-slim
FROM ${BASE_IMAGE} AS installed

WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY harness harness
COPY proxies proxies
COPY tests/conformance tests/conformance
COPY profiles/mqtt5 profiles/mqtt5
# The build backend first and from the same pins: a build in isolation takes no notice of constraints.
RUN python3 -m pip install --no-cache-dir --root-user-action=ignore -c constraints.txt hatchling \
    && python3 -m pip install --no-cache-dir --root-user-action=ignore -c constraints.txt --no-build-isolation .

# Nothing here needs to be root; the number needs no name.
WORKDIR /tmp
USER 65534:65534

FROM installed AS client
ENTRYPOINT ["python3", "-m", "harness.reference"]

FROM installed AS server
ENTRYPOINT ["python3", "-m", "harness.reference.server_control"]

FROM installed
ENTRYPOINT ["linkproof"]
CMD ["serve", "--host", "0.0.0.0", "--port", "7100"]
