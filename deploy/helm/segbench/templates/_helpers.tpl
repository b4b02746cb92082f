{{- define "segbench.labels" -}}
app.kubernetes.io/name: segbench
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* What selects pods of a role: dict "top" . "role" NAME. */}}
{{- define "segbench.selector" -}}
app.kubernetes.io/name: segbench
app.kubernetes.io/instance: {{ .top.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "segbench.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "segbench.claim" -}}
{{ .Values.storage.existingClaim | default (printf "%s-files" .Release.Name) }}
{{- end }}

{{- define "segbench.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "segbench.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* Addresses of the servers, from the secret. */}}
{{- define "segbench.servers" -}}
{{- range $name, $key := dict "DATABASE_URL" "database-url" "QUEUE_REDIS_URL" "queue-redis-url" "CACHE_REDIS_URL" "cache-redis-url" }}
- name: {{ $name }}
  valueFrom: { secretKeyRef: { name: {{ $.Values.existingSecret }}, key: {{ $key }} } }
{{- end }}
{{- end }}

{{/* The deployment of one role: dict "top" . "role" NAME "values" VALUES. */}}
{{- define "segbench.deployment" -}}
{{- $top := .top }}
{{- $values := .values }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $top.Release.Name }}-{{ .role }}
  labels:
    {{- include "segbench.labels" $top | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
spec:
  {{- if not (and (eq .role "worker") $top.Values.keda.enabled) }}
  replicas: {{ $values.replicas }}
  {{- end }}
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  selector:
    matchLabels: {{- include "segbench.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "segbench.labels" $top | nindent 8 }}
        app.kubernetes.io/component: {{ .role }}
      annotations:
        prometheus.io/scrape: 'true'
        prometheus.io/port: '9464'
        prometheus.io/path: /metrics
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
      securityContext: {{- include "segbench.podSecurity" $top | nindent 8 }}
      {{- with $top.Values.imagePullSecrets }}
      imagePullSecrets: {{- range . }}
        - name: {{ . }}
      {{- end }}
      {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "segbench.selector" . | nindent 14 }}
      containers:
        - name: {{ .role }}
          image: {{ include "segbench.image" $top }}
          imagePullPolicy: {{ $top.Values.image.pullPolicy }}
          securityContext: {{- include "segbench.containerSecurity" $top | nindent 12 }}
          env:
            {{- include "segbench.servers" $top | trim | nindent 12 }}
            {{- if eq .role "api" }}
            - name: BOOTSTRAP_API_KEY
              valueFrom: { secretKeyRef: { name: {{ $top.Values.existingSecret }}, key: bootstrap-api-key } }
            {{- end }}
            {{- $own := dict "SEGBENCH_ROLE" .role "NODE_OPTIONS" (printf "--max-old-space-size=%v" $values.heapMegabytes) }}
            {{- if eq .role "worker" }}
            {{- $_ := set $own "WORKERS" $values.inferenceProcesses }}
            {{- end }}
            {{- range $name, $value := mergeOverwrite (dict) ($top.Values.settings | default dict) ($values.settings | default dict) $own }}
            - name: {{ $name }}
              value: {{ $value | toString | quote }}
            {{- end }}
          ports:
            {{- if eq .role "api" }}
            - { name: http, containerPort: 8080 }
            {{- end }}
            - { name: metrics, containerPort: 9464 }
          {{- if eq .role "api" }}
          {{- if $values.preStopSeconds }}
          lifecycle:
            preStop: { exec: { command: [sleep, {{ $values.preStopSeconds | quote }}] } }
          {{- end }}
          startupProbe:
            httpGet: { path: /readyz, port: http }
            periodSeconds: 2
            failureThreshold: 60
          readinessProbe:
            httpGet: { path: /readyz, port: http }
            periodSeconds: 1
            timeoutSeconds: 3
            failureThreshold: 2
          livenessProbe:
            httpGet: { path: /healthz, port: http }
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          {{- else }}
          startupProbe:
            httpGet: { path: /healthz, port: metrics }
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: { path: /healthz, port: metrics }
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          {{- end }}
          resources: {{- toYaml $values.resources | nindent 12 }}
          volumeMounts:
            - { name: files, mountPath: /data }
            - { name: tmp, mountPath: /tmp }
      volumes:
        - name: files
          persistentVolumeClaim: { claimName: {{ include "segbench.claim" $top }} }
        - name: tmp
          emptyDir: { sizeLimit: 256Mi }
{{- end }}
