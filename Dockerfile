# The operator's image. Where no engine is, `npm run image` makes the same from these steps (dev/image/).

FROM node:24.21.0-trixie-slim@sha256:173f125896c3b47ddf056734c7ea789d04595a6a08769a8f78e0df642781fb66 AS build
WORKDIR /src
COPY package.json package-lock.json ./
# Without the scripts of packages: one of them would fetch another Node.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node dev/build/main.ts

# Node and the libraries it needs; no shell, no package manager.
FROM gcr.io/distroless/nodejs24-debian13:nonroot@sha256:fbbdda866ea71aef98c4abece17e3d61fbf820cc2ef3961522caa2478716171a
LABEL org.opencontainers.image.title="Longshore"
LABEL org.opencontainers.image.description="Runs Amazon ECS task definitions, services and AWS Batch jobs on any Kubernetes cluster, unchanged."
LABEL org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY package.json LICENSE NOTICE ./
COPY --from=build /src/dist ./dist
ENV NODE_ENV=production
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/longshore.js"]
