#!/usr/bin/env bash
# The chart rendered by helm, with its defaults and with everything on, and each object checked against the schemas of Kubernetes: by kubeconform where
# it is installed and reaches its schemas (KUBECONFORM_SCHEMAS: a folder or address of them), else by kubernetes-validate (PyPI), which brings them along.
#   test/acceptance/helm.sh [PYTHON]        PYTHON: one with kubernetes-validate; a virtual environment is made without
# Needs helm 3 or 4 on PATH (go install helm.sh/helm/v3/cmd/helm@latest). Exit codes: 0 good, 1 something is not, 3 what it needs is not there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
chart=deploy/helm/segbench
python=${1:-}
command -v helm >/dev/null || { echo 'not run: no helm on PATH' >&2; exit 3; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# a helm that was built by go install thinks of an old one
kube=(--kube-version 1.34.0)

helm lint --strict "${kube[@]}" "$chart" -f "$chart/ci/full-values.yaml"
helm template plate "$chart" "${kube[@]}" --namespace imaging >"$work/defaults.yaml"
helm template plate "$chart" "${kube[@]}" --namespace imaging -f "$chart/ci/full-values.yaml" >"$work/full.yaml"

if command -v kubeconform >/dev/null; then
  # KEDA's own kind is not among Kubernetes' schemas
  kubeconform -strict -summary -skip ScaledObject ${KUBECONFORM_SCHEMAS:+-schema-location "$KUBECONFORM_SCHEMAS"} "$work"/*.yaml
  exit
fi
if [ -z "$python" ]; then
  python3 -m venv "$work/python" && "$work/python/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate || { echo 'not run: kubernetes-validate cannot be installed' >&2; exit 3; }
  python=$work/python/bin/python
fi
"$python" - "$work"/*.yaml <<'END'
import sys
import kubernetes_validate, yaml
bad = 0
for name in sys.argv[1:]:
    kinds = {}
    for one in yaml.safe_load_all(open(name)):
        if one is None:
            continue
        kind = one['kind']
        if one['apiVersion'].startswith('keda.sh/'):
            kinds[kind + ' (not checked)'] = 1
            continue
        kinds[kind] = kinds.get(kind, 0) + 1
        try:
            kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)
        except kubernetes_validate.ValidationError as error:
            bad += 1
            print(f"{kind} {one['metadata']['name']}: {list(error.path)}: {error.message}")
    print(name.rsplit('/', 1)[1], ', '.join(f'{count} {kind}' for kind, count in kinds.items()))
print('Kubernetes', kubernetes_validate.latest_version(), '-', bad, 'invalid')
sys.exit(1 if bad else 0)
END
