FROM python:3.11-slim AS build

RUN python -m venv --without-pip /venv
COPY requirements.txt /build/
RUN pip --python /venv/bin/python install --no-cache-dir --require-hashes -r /build/requirements.txt
COPY pyproject.toml /build/
COPY app /build/app
RUN pip --python /venv/bin/python install --no-cache-dir --no-deps /build


FROM python:3.11-slim

# The embedded database needs a user with a name.
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin health \
    && install -d -o health -g health -m 700 /data
COPY --from=build /venv /venv
WORKDIR /srv
COPY alembic.ini ./
COPY migrations migrations
COPY models models

ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HEALTH_HOST=0.0.0.0 \
    HEALTH_PORT=8000 \
    HEALTH_DATA_DIR=/data
USER health
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD python -c "from urllib.request import urlopen; urlopen('http://127.0.0.1:${HEALTH_PORT}/health/live', timeout=4)"
ENTRYPOINT ["customer-health"]
CMD ["serve"]
