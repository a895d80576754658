{{- define "showstopper.labels" -}}
app.kubernetes.io/name: showstopper
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: showstopper
{{- end }}

{{- define "showstopper.selector" -}}
app.kubernetes.io/name: showstopper
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "showstopper.agentSelector" -}}
app.kubernetes.io/name: showstopper
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: agent
{{- end }}

{{- define "showstopper.archiveSelector" -}}
app.kubernetes.io/name: showstopper
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: archive
{{- end }}

{{- define "showstopper.serviceAccount" -}}
{{- .Values.serviceAccount.name | default "showstopper-operator" }}
{{- end }}

{{/* Takes (image values, appVersion). */}}
{{- define "showstopper.image" -}}
{{- $image := index . 0 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default (index . 1) }}
{{- end -}}
{{- end }}
