# A small image with the one binary. Run it with -p 4566:4566, and -v data:/data to keep things.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p strongroom

FROM debian:bookworm-slim
COPY --from=build /src/target/release/strongroom /usr/local/bin/strongroom
RUN useradd --system --uid 10001 strongroom && install -d -o strongroom /data
USER strongroom
ENV STRONGROOM_LISTEN=0.0.0.0:4566
EXPOSE 4566
HEALTHCHECK --interval=2s --timeout=3s CMD ["strongroom", "healthcheck"]
ENTRYPOINT ["strongroom"]
