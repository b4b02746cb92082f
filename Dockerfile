# The service: API, relay, worker and migration are this one image with another command or another SEGBENCH_ROLE.
#
#   docker build -t segbench:1 .
#
# BASE is any Linux with Node >= 24.12, npm and /bin/sh (limits of the decoding children are set by its ulimit).
# Where no registry is in reach: test/images/make.sh base, then --network host --build-arg BASE=segbench-base:local.
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
WORKDIR /build
# Packages first: a change of the program alone does not fetch them again. No script is needed: libraries come within the packages.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN NODE_ENV=production node node_modules/vite/bin/vite.js build --logLevel warn \
 && node deploy/image/assemble.ts /image

FROM ${BASE}
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 METRICS_HOST=0.0.0.0 METRICS_PORT=9464 DATA_DIR=/data
# A named volume takes owner and mode from here.
RUN mkdir -p /data && chown 10001:10001 /data
WORKDIR /app
COPY --from=build /image ./
USER 10001:10001
VOLUME /data
EXPOSE 8080 9464
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 CMD ["node", "deploy/image/healthcheck.mjs"]
CMD ["node", "service/src/main.ts"]
