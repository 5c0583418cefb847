# What the lock file says, and the workflow. Build with `docker build -t exp_to_source .`; for nodes
# that have Apptainer: `apptainer build exp_to_source.sif docker-daemon:exp_to_source:latest`.
FROM python:3.12-slim

COPY requirements/run.txt /opt/exp_to_source/requirements/run.txt
RUN python -m pip install --no-cache-dir --require-hashes -r /opt/exp_to_source/requirements/run.txt

COPY Snakefile /opt/exp_to_source/
COPY config /opt/exp_to_source/config
COPY profiles /opt/exp_to_source/profiles
COPY scripts /opt/exp_to_source/scripts
COPY workflow /opt/exp_to_source/workflow

# Results go where the container is started: docker run -v "$PWD:/work" exp_to_source --cores 4 ...
WORKDIR /work
ENTRYPOINT ["python", "-m", "snakemake", "--snakefile", "/opt/exp_to_source/Snakefile"]
