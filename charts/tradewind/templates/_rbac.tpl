{{/*
What the operator needs in each namespace that it serves. A rule with a name covers lists and watches too, where their
field selector asks for that name alone.
*/}}
{{- define "tradewind.rules.namespace" -}}
- apiGroups: [tradewind.dev]
  resources: [modelroutes, modelendpoints]
  verbs: [list, watch]
- apiGroups: [tradewind.dev]
  resources: [modelroutes/status, modelendpoints/status]
  verbs: [patch]
# RBAC knows no labels: the operator asks for Secrets labelled tradewind.dev/use=credentials only, and for ConfigMaps labelled
# tradewind.dev/use=artefact.
- apiGroups: ['']
  resources: [pods, services, secrets, configmaps]
  verbs: [list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: ['']
  resources: [configmaps]
  resourceNames: [tradewind-ca]
  verbs: [create, patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{/* What has no namespace. */}}
{{- define "tradewind.rules.cluster" -}}
- apiGroups: ['']
  resources: [namespaces]
  verbs: [list, watch]
- apiGroups: [authentication.k8s.io]
  resources: [tokenreviews]
  verbs: [create]
- apiGroups: [authorization.k8s.io]
  resources: [subjectaccessreviews]
  verbs: [create]
{{- if not (include "tradewind.webhookSecret" .) }}
- apiGroups: [admissionregistration.k8s.io]
  resources: [mutatingwebhookconfigurations, validatingwebhookconfigurations]
  resourceNames: [{{ include "tradewind.clusterName" . }}]
  verbs: [list, watch, patch]
{{- end }}
{{- end -}}

{{/* What it needs in its own namespace, besides. */}}
{{- define "tradewind.rules.own" -}}
- apiGroups: ['']
  resources: [secrets]
  resourceNames: [{{ include "tradewind.caSecret" . }}]
  verbs: [list, watch, update]
- apiGroups: ['']
  resources: [secrets]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "tradewind.operator" . }}]
  verbs: [list, watch, update]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
{{- end -}}

{{/* What the hook needs after an uninstall. */}}
{{- define "tradewind.rules.cleanup.own" -}}
- apiGroups: ['']
  resources: [secrets]
  resourceNames: [{{ include "tradewind.caSecret" . }}]
  verbs: [delete]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "tradewind.operator" . }}]
  verbs: [delete]
- apiGroups: ['']
  resources: [pods]
  verbs: [list]
{{- end -}}

{{- define "tradewind.rules.cleanup.namespace" -}}
- apiGroups: ['']
  resources: [configmaps]
  resourceNames: [tradewind-ca]
  verbs: [list, delete]
{{- end -}}

{{/* include "tradewind.binding" (list $ "ClusterRole" name namespace serviceAccount annotations): binds the role of that kind and name. */}}
{{- define "tradewind.binding" -}}
{{- $root := index . 0 -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ index . 1 }}Binding
metadata:
  name: {{ index . 2 }}
  {{- with index . 3 }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- include "tradewind.labels" $root | nindent 4 }}
  {{- with index . 5 }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ index . 1 }}
  name: {{ index . 2 }}
subjects:
  - kind: ServiceAccount
    name: {{ index . 4 }}
    namespace: {{ $root.Release.Namespace }}
{{- end -}}

{{/* include "tradewind.role" (list $ kind name namespace serviceAccount annotations rules): a role, and its binding. */}}
{{- define "tradewind.role" -}}
{{- $root := index . 0 }}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ index . 1 }}
metadata:
  name: {{ index . 2 }}
  {{- with index . 3 }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- include "tradewind.labels" $root | nindent 4 }}
  {{- with index . 5 }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
rules: {{- index . 6 | nindent 2 }}
---
{{ include "tradewind.binding" . }}
{{- end -}}

{{/* include "tradewind.rules.itself" namespace: reads the labels of a namespace, and asks what others may there, by rights inside of it. */}}
{{- define "tradewind.rules.itself" -}}
- apiGroups: ['']
  resources: [namespaces]
  resourceNames: [{{ . }}]
  verbs: [get]
- apiGroups: [authorization.k8s.io]
  resources: [localsubjectaccessreviews]
  verbs: [create]
{{- end -}}

{{/* What people may do, by role. Rollouts and sidecars are no resources: they are rights alone, which the operator's own API and webhook ask for. */}}
{{- define "tradewind.rules.view" -}}
- apiGroups: [tradewind.dev]
  resources: [modelroutes, modelendpoints, rollouts]
  verbs: [get, list, watch]
- apiGroups: [tradewind.dev]
  resources: [sidecars]
  verbs: [list]
{{ include "tradewind.rules.roots" . }}
{{- end -}}

{{- define "tradewind.rules.edit" -}}
- apiGroups: [tradewind.dev]
  resources: [modelroutes, modelendpoints]
  verbs: [create, update, patch, delete, deletecollection]
{{- end -}}

{{- define "tradewind.rules.rollouts" -}}
- apiGroups: [tradewind.dev]
  resources: [rollouts]
  verbs: [get, list, watch, promote, pause, resume, abort, retry]
{{ include "tradewind.rules.roots" . }}
{{- end -}}

{{/* The roots by which the command line knows the operator. */}}
{{- define "tradewind.rules.roots" -}}
- apiGroups: ['']
  resources: [configmaps]
  resourceNames: [tradewind-ca]
  verbs: [get, list]
{{- end -}}
