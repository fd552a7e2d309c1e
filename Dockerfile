# docker build -t wanliu .
#
# Without callers the service is in development mode: it listens on the loopback interface of its own network only, so a published port
# (-p 8000:8000) reaches nothing. Give the container the host's network:
#
#   docker run --rm --network host -v wanliu:/var/lib/wanliu wanliu
#
# or add a caller, and let it listen on every interface:
#
#   docker run --rm -v wanliu:/var/lib/wanliu wanliu wanliu caller add desk --role agent
#   docker run --rm -p 8000:8000 -e WANLIU_HOST=0.0.0.0 -v wanliu:/var/lib/wanliu wanliu
#
# The pack in the image is the one of this checkout; to run another, mount it and name it: -v /my/pack:/pack:ro -e WANLIU_PACK=/pack

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
    && pip uninstall --yes setuptools pip

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/wanliu --create-home --shell /usr/sbin/nologin wanliu
COPY --from=build /opt/wanliu /opt/wanliu
COPY --from=build /srv/wanliu /srv/wanliu
ENV PATH=/opt/wanliu/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WANLIU_HOST=127.0.0.1 \
    WANLIU_PORT=8000 \
    WANLIU_DATABASE_URL=sqlite:////var/lib/wanliu/wanliu.db
WORKDIR /srv/wanliu
USER 10001
VOLUME /var/lib/wanliu
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"WANLIU_PORT\"]}/healthz', timeout=2)"]
CMD ["wanliu", "serve"]
