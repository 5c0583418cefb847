# What the lock files say, and the workflow. `make image` builds it and, as exp_to_source:spec3, the
# same with the jwst package. For nodes that have Apptainer:
# `apptainer build exp_to_source.sif docker-daemon:exp_to_source:latest`.
FROM python:3.12-slim AS run

COPY requirements/run.txt requirements/build.txt /opt/exp_to_source/requirements/
RUN python -m pip install --no-cache-dir --require-hashes \
    -r /opt/exp_to_source/requirements/run.txt -r /opt/exp_to_source/requirements/build.txt

COPY pyproject.toml README.md LICENSE Snakefile /opt/exp_to_source/
COPY config /opt/exp_to_source/config
COPY profiles /opt/exp_to_source/profiles
COPY scripts /opt/exp_to_source/scripts
COPY workflow /opt/exp_to_source/workflow
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation /opt/exp_to_source

# As `docker run --user UID` has neither: caches need the first, Snakemake the name of a user.
# Apptainer mounts the user's own home, where pip's --user packages would replace those of the image.
ENV HOME=/tmp USER=exp_to_source PYTHONNOUSERSITE=1
# Results go where the container is started: docker run -v "$PWD:/work" exp_to_source --cores 4 ...
WORKDIR /work
ENTRYPOINT ["exp-to-source", "run"]

FROM run AS spec3
COPY requirements/spec3.txt /opt/exp_to_source/requirements/
RUN python -m pip install --no-cache-dir --require-hashes \
    -r /opt/exp_to_source/requirements/spec3.txt

# By default without it.
FROM run
