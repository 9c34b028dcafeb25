# The images that `make images` assembles, for those who would rather build them. It lays the same trees over nothing:
#   make images
#   buildah bud --isolation chroot --build-arg PROGRAM=operator --tag tradewind-operator .
# PROGRAM is operator, sidecar or tradewind (the command line).
FROM scratch
ARG PROGRAM
COPY dist/rootfs/base/ /
COPY dist/rootfs/${PROGRAM}/ /
ENV PATH=/usr/bin NODE_ENV=production
USER 65532:65532
WORKDIR /app
ENTRYPOINT ["/usr/bin/node", "/app/main.mjs"]
