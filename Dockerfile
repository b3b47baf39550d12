# The one binary on nothing at all. `docker build .` compiles it; with BINARY=prebuilt, the last stage takes one that is
# there already, in a folder laid out as `build` leaves its own (tests/image/run makes one):
#
#   docker build --build-arg BINARY=prebuilt -f Dockerfile FOLDER
#
# BuildKit makes only the stages that the last one needs, so that this asks no registry for Rust.
ARG BINARY=build

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# Only with a target do build scripts and macros, which run here, stay as they are while the rest is linked statically. Linked as one
# it is a seventh smaller.
RUN host=$(rustc -vV | sed -n 's/^host: //p') \
 && RUSTFLAGS='-C target-feature=+crt-static' CARGO_PROFILE_RELEASE_STRIP=symbols \
    CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
    cargo build --release --locked --bin strongroom --target "$host" \
 && install -D "target/$host/release/strongroom" /out/rootfs/bin/strongroom \
 && install -d -m 1777 /out/rootfs/tmp \
 && install -d /out/data

FROM scratch AS prebuilt
COPY . /out/

FROM ${BINARY} AS binary

FROM scratch
ARG VERSION=unversioned
LABEL org.opencontainers.image.title="Strongroom" \
      org.opencontainers.image.description="A local S3 and KMS for tests that is faithful to AWS and really encrypts" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=binary /out/rootfs/ /
# Empty, and the user's own: a fresh volume takes its owner from the folder that it covers.
COPY --from=binary --chown=10001:10001 /out/data /data
USER 10001:10001
ENV STRONGROOM_LISTEN=0.0.0.0:4566 STRONGROOM_INIT=/init
EXPOSE 4566
HEALTHCHECK --interval=2s --timeout=3s CMD ["/bin/strongroom", "healthcheck"]
ENTRYPOINT ["/bin/strongroom"]
