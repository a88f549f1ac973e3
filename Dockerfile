# The image of the sidecar. `scripts/image` builds it and says where BASE_IMAGE and ENGINE_IMAGE come from; works with
# the legacy builder and with BuildKit.
#   BASE_IMAGE    Debian 13 or Ubuntu 24.04, slim
#   ENGINE_IMAGE  an image whose folder /engine holds the program kopia, or nothing
ARG BASE_IMAGE=debian:trixie-slim
ARG ENGINE_IMAGE=kopi-docka-engine:local

FROM ${ENGINE_IMAGE} AS engine

FROM ${BASE_IMAGE} AS build
LABEL org.kopi-docka.stage=build
ENV DEBIAN_FRONTEND=noninteractive
# The package list is a layer of its own: an edit of the code never installs packages again.
COPY scripts/lib/deps.sh /opt/deps.sh
RUN /opt/deps.sh build && apt-get -y --no-install-recommends install ca-certificates && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY CMakeLists.txt CMakePresets.json ./
COPY labels labels
COPY src src
# Whether a warning fails the build: OFF for compilers nobody has tried.
ARG WERROR=ON
RUN cmake --preset release -B /build -DKOPIDOCKA_WERROR=${WERROR} && cmake --build /build && strip /build/kopi-docka
# The runtime stage installs the packages that own the libraries the program is linked to, whatever their version is called,
# and libcurl, which it loads when it needs it.
RUN { ldd /build/kopi-docka; ldconfig -p | grep -F libcurl.so.4; } | awk '/=> \// { print $NF ~ /^\(/ ? $3 : $NF }' | \
    xargs -n 1 readlink -f | sort -u | \
    xargs -n 1 dpkg-query --search | cut -d: -f1 | sort -u >/build/runtime-packages

FROM ${BASE_IMAGE}
LABEL org.kopi-docka.stage=runtime
ENV DEBIAN_FRONTEND=noninteractive
# restic before our own libraries: it changes least.
RUN apt-get -qq update && \
    apt-get -y --no-install-recommends install restic tzdata && \
    { apt-get -y --no-install-recommends install tzdata-legacy || true; } && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/*.log /var/log/apt
COPY --from=build /build/runtime-packages /tmp/runtime-packages
RUN apt-get -qq update && \
    xargs apt-get -y --no-install-recommends install </tmp/runtime-packages && \
    rm -rf /tmp/runtime-packages /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/*.log /var/log/apt
# The list of certificate authorities alone: the package would bring openssl along.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=engine /engine/ /usr/local/bin/
COPY --from=build /build/kopi-docka /usr/local/bin/kopi-docka
RUN mkdir -p -m 0700 /var/lib/kopi-docka /var/cache/kopi-docka /repository && mkdir -p /etc/kopi-docka/hooks

# No settings here: the environment would win over a mounted kopi-docka.conf, and the defaults in a container are these.
ENV DEBIAN_FRONTEND= \
    HOME=/var/cache/kopi-docka
LABEL kopi-docka.role=sidecar \
      org.opencontainers.image.title=kopi-docka \
      org.opencontainers.image.description="Cold, consistent, encrypted backups of Docker stacks" \
      org.opencontainers.image.licenses=Apache-2.0
EXPOSE 9464
# Liveness only: an overdue backup must never get the sidecar killed in the middle of a run.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["kopi-docka", "health", "--live"]
ENTRYPOINT ["kopi-docka"]
CMD ["daemon"]
