# docker build -t wanliu .
#
# Everything that the service writes is in /var/lib/wanliu, and in /tmp what may go with the container; the rest may be read-only:
#
#   docker run --rm --read-only --tmpfs /tmp -v wanliu:/var/lib/wanliu wanliu wanliu caller add desk --role agent
#   docker run --rm --read-only --tmpfs /tmp -v wanliu:/var/lib/wanliu -p 8000:8000 -e WANLIU_HOST=0.0.0.0 wanliu
#
# Without callers the service is in development mode: it listens on the loopback interface of its own network only, so that a published port
# reaches nothing. To try it so, give the container the host's network: --network host
#
# The pack in the image is the one of this checkout; to run another, mount it and name it: -v /my/pack:/pack:ro -e WANLIU_PACK=/pack
# More, with PostgreSQL and a proxy: docs/operations.md

# The full image has the C compiler that durable-rules needs; nothing of it but the environment goes on.
FROM python:3.12 AS build
WORKDIR /srv/wanliu
RUN python -m venv /opt/wanliu
ENV PATH=/opt/wanliu/bin:$PATH
COPY requirements/build.txt requirements/run.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/build.txt \
    && pip install --no-cache-dir --require-hashes --no-build-isolation --use-pep517 -r requirements/run.txt
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e . \
    && python -m compileall -q app \
    && pip uninstall --yes setuptools pip

FROM python:3.12-slim
LABEL org.opencontainers.image.title="Wanliu" \
    org.opencontainers.image.description="Decides the next best action for a telecom subscriber, and says why" \
    org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --home-dir /var/lib/wanliu --create-home --shell /usr/sbin/nologin wanliu \
    && python -m pip uninstall --yes pip
COPY --from=build /opt/wanliu /opt/wanliu
COPY --from=build /srv/wanliu /srv/wanliu
ENV PATH=/opt/wanliu/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WANLIU_HOST=127.0.0.1 \
    WANLIU_PORT=8000 \
    WANLIU_PACK=/srv/wanliu \
    WANLIU_DATABASE_URL=sqlite:////var/lib/wanliu/wanliu.db \
    WANLIU_KEY_FILE=/var/lib/wanliu/wanliu.keys \
    WANLIU_CACHE_DIR=/var/lib/wanliu/cache
WORKDIR /var/lib/wanliu
USER 10001
VOLUME /var/lib/wanliu
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"WANLIU_PORT\"]}/healthz', timeout=2)"]
CMD ["wanliu", "serve"]
