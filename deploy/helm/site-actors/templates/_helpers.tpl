{{- define "site-actors.name" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- define "site-actors.selector" -}}
app.kubernetes.io/name: site-actors
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "site-actors.labels" -}}
{{ include "site-actors.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
