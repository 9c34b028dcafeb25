# The images that `make images` assembles, for those who would rather build them. It lays the same trees over nothing:
#   make images
#   buildah bud --isolation chroot --build-arg PROGRAM=operator --tag tradewind-operator .
# PROGRAM is operator, sidecar or tradewind (the command line).
ARG PROGRAM

FROM scratch AS base
COPY dist/rootfs/base/ /
ENV PATH=/usr/bin NODE_ENV=production
USER 65532:65532
WORKDIR /app
ENTRYPOINT ["/usr/bin/node", "/app/main.mjs"]

FROM base AS operator
ENV MALLOC_MMAP_THRESHOLD_=16384
FROM base AS tradewind
FROM base AS sidecar
ENV NODE_OPTIONS="--max-semi-space-size=4 --v8-pool-size=1" MALLOC_TRIM_THRESHOLD_=131072

FROM ${PROGRAM}
ARG PROGRAM
COPY dist/rootfs/${PROGRAM}/ /
