{{- define "db.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "db.secret" -}}
{{ .Values.existingSecret | default .Release.Name }}
{{- end }}
