# linkproof with its reference server. docker-compose.yml uses it; CI does not.
ARG BASE_IMAGE=python:3.11-slim
FROM ${BASE_IMAGE}

WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY harness harness
COPY proxies proxies
COPY tests/conformance tests/conformance
# The build backend first and from the same pins: a build in isolation takes no notice of constraints.
RUN pip install --no-cache-dir -c constraints.txt hatchling \
    && pip install --no-cache-dir -c constraints.txt --no-build-isolation . \
    && rm -rf /build

# Nothing here needs to be root.
RUN useradd --create-home linkproof
USER linkproof
WORKDIR /home/linkproof

ENTRYPOINT ["linkproof"]
CMD ["serve", "--host", "0.0.0.0", "--port", "7100"]
