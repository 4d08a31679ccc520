#!/usr/bin/env bash
# The suites of Qiskit, qiskit-ibm-runtime, ipykernel and nbclient, without and with our hooks, compared test by test.
# Their tests come with their source distributions. Arguments: which of them; all when there are none. About 40 minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

here=$PWD
folder=$PWD/.cache/upstream
python=$folder/venv/bin/python
export PATH=$folder/venv/bin:$PATH
mkdir -p "$folder"

# What their tests need beside the project itself. Their own warnings and plugins are not what is compared.
# The runtime's tests draw, too.
needs="qiskit-ibm-runtime[visualization] plotly pytest pytest-timeout pytest-asyncio<0.26 pytest-cov ddt hypothesis testtools flaky trio ipyparallel python-dotenv vcrpy responses ipywidgets xmltodict testpath jupyter-server"
options="-p no:cacheprovider -W ignore -q"

tests_of() {
    case $1 in
        nbclient | ipykernel) echo tests ;;
        qiskit) echo test/python/primitives test/python/providers ;;
        qiskit-ibm-runtime) echo test/unit ;;
        *) echo "unknown suite: $1" >&2; return 1 ;;
    esac
}

installed() { "$python" -c "import importlib.metadata as m; print('$1==' + m.version('$1'))"; }

if [ ! -x "$python" ]; then
    .venv/bin/uv venv --quiet --python .venv/bin/python "$folder/venv"
fi
# shellcheck disable=SC2086  # a list of requirements
.venv/bin/uv pip install --quiet --python "$python" --constraint constraints.txt \
    nbclient ipykernel qiskit qiskit-aer qiskit-ibm-runtime jupyter-server
# shellcheck disable=SC2086
.venv/bin/uv pip install --quiet --python "$python" $needs
SKIP_JUPYTER_BUILDER=1 .venv/bin/uv pip install --quiet --python "$python" --no-deps --reinstall-package qsec-jupyter "$here"

failed=
for suite in "${@:-nbclient ipykernel qiskit qiskit-ibm-runtime}"; do
    for name in $suite; do
        version=$(installed "$name")
        source=$folder/${version/==/-}
        if [ ! -d "$source" ]; then
            .venv/bin/python -m pip download --quiet --no-deps --no-binary "$name" --dest "$folder" "$version"
            mkdir "$source.part"
            tar --extract --gzip --strip-components 1 --directory "$source.part" --file "$folder"/"${name//-/_}"-"${version#*==}".tar.gz
            # Only the tests: the package itself is the installed one.
            rm -rf "${source:?}.part/${name//-/_}"
            # Without settings of its own, pytest would take ours.
            grep -qs "tool.pytest" "$source.part/pyproject.toml" || echo "[pytest]" >"$source.part/pytest.ini"
            mv "$source.part" "$source"
        fi
        echo "== $version"
        # shellcheck disable=SC2046,SC2086
        (cd "$source" && "$python" -m qsec_jupyter.testing $options $(tests_of "$name")) || failed="$failed $name"
    done
done
[ -z "$failed" ] || { echo "differences in:$failed"; exit 1; }
