{{/* The name that every object of the release starts with. */}}
{{- define "tradewind.name" -}}
{{- ternary .Release.Name (printf "%s-tradewind" .Release.Name) (contains "tradewind" .Release.Name) | trunc 43 | trimSuffix "-" -}}
{{- end -}}

{{- define "tradewind.operator" -}}{{ include "tradewind.name" . }}-operator{{- end -}}

{{/* Cluster-wide objects carry the namespace too: releases of one name in two namespaces do not meet. */}}
{{- define "tradewind.clusterName" -}}{{ include "tradewind.operator" . }}-{{ .Release.Namespace }}{{- end -}}

{{- define "tradewind.serviceAccount" -}}{{ .Values.serviceAccount.name | default (include "tradewind.operator" .) }}{{- end -}}

{{- define "tradewind.selector" -}}
app.kubernetes.io/name: tradewind
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "tradewind.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
app.kubernetes.io/name: tradewind
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* include "tradewind.image" (list $ .Values.operator.image) */}}
{{- define "tradewind.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $name := printf "%s/%s" $root.Values.image.registry $image.name -}}
{{- if $image.digest -}}{{ $name }}@{{ $image.digest }}
{{- else -}}{{ $name }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "tradewind.caSecret" -}}{{ include "tradewind.operator" . }}-ca{{- end -}}

{{- define "tradewind.webhookSecret" -}}
{{- if .Values.webhooks.certificate.secret -}}{{ .Values.webhooks.certificate.secret }}
{{- else if .Values.watchNamespaces -}}{{ include "tradewind.operator" . }}-webhooks
{{- end -}}
{{- end -}}

{{- define "tradewind.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What every container of the chart may do: run, and nothing else. */}}
{{- define "tradewind.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- define "tradewind.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{/* Where the operator is, and the names of what it makes: the same for the program and for what cleans up after it. */}}
{{- define "tradewind.identity" -}}
- name: TRADEWIND_NAMESPACE
  valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
- name: TRADEWIND_POD
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
- name: TRADEWIND_POD_IP
  valueFrom: { fieldRef: { fieldPath: status.podIP } }
- name: TRADEWIND_SERVICE
  value: {{ include "tradewind.operator" . }}
- name: TRADEWIND_CA_SECRET
  value: {{ include "tradewind.caSecret" . }}
- name: TRADEWIND_LEASE
  value: {{ include "tradewind.operator" . }}
- name: TRADEWIND_WATCH_NAMESPACES
  value: {{ join "," .Values.watchNamespaces | quote }}
- name: TRADEWIND_LOG_LEVEL
  value: {{ .Values.operator.logLevel }}
{{- end -}}

{{- /* Environment of the decision log, as JSON; empty where there is none. */}}
{{- define "tradewind.decisions" -}}
{{- with .Values.sidecar.decisions -}}
{{- if .to -}}
{{- $most := mul (.fileSizeBytes | int64) (add 1 (.filesKept | int64)) -}}
{{- if and (has "file" .to) (gt $most 31457280) -}}
{{- fail (printf "sidecar.decisions: %d bytes of files are more than the 30 MiB that fit into the pod's volume: lower fileSizeBytes or filesKept" $most) -}}
{{- end -}}
{{- dict "TRADEWIND_DECISIONS" (join "," .to) "TRADEWIND_DECISIONS_FILE_SIZE" (.fileSizeBytes | int64 | toString) "TRADEWIND_DECISIONS_FILE_KEEP" (.filesKept | int64 | toString) | toJson -}}
{{- else -}}
{}
{{- end -}}
{{- else -}}
{}
{{- end -}}
{{- end }}
