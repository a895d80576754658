{{- define "audio-room.labels" -}}
app.kubernetes.io/name: audio-room
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: {{ .Values.room.name }}
{{- end }}

{{- define "audio-room.secret" -}}
{{- .Values.livekit.existingSecret | default "livekit-keys" }}
{{- end }}

{{/* Takes the values of an image. */}}
{{- define "audio-room.image" -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag }}
{{- end -}}
{{- end }}

{{/* The relays' configuration; its keys come from the Secret. */}}
{{- define "audio-room.livekit" -}}
port: 7880
rtc:
  udp_port: 7882
  tcp_port: 7881
  use_external_ip: false
  # Without a list of its own LiveKit sends clients to public STUN servers by name.
  stun_servers: ["127.0.0.1:3478"]
redis: {address: "store:6379"}
room: {auto_create: true, empty_timeout: 300, departure_timeout: 20}
prometheus: {port: 6789}
logging: {level: info}
{{- with .Values.relay.maxTracks }}
limit: {num_tracks: {{ int . }}}
{{- end }}
{{- if .Values.door.enabled }}
# Every replica of the door is told of every join.
webhook:
  api_key: {{ .Values.livekit.apiKey | quote }}
  urls:
    {{- range until (int .Values.door.replicas) }}
    - http://door-{{ . }}.doors:8090/webhooks/livekit
    {{- end }}
{{- end }}
{{- end }}

{{- define "audio-room.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "audio-room.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
