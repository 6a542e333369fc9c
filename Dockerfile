# Flagstone as a small image: the binary, the libraries it needs and certificates, nothing else. No
# shell, no package manager; runs as uid 65532 with a read-only root.
#
#   docker build -t flagstone .
#
# What has to be writable at run time: /run/flagstone (socket) and /var/lib/flagstone (state), each
# usually a volume. k8s/ shows both.

FROM debian:13-slim AS build
WORKDIR /src
COPY scripts/setup scripts/setup
RUN scripts/setup && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release && cmake --build --preset release --target flagstone
RUN scripts/image-root build/release/flagstone /image

FROM scratch
COPY --from=build /image /
# Numbers, so that Kubernetes' runAsNonRoot can check them without a password file.
USER 65532:65532
ENV PATH=/usr/bin \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
# The default socket and admin listeners; TCP stays on loopback unless told otherwise.
ENTRYPOINT ["flagstone"]
CMD ["start"]
