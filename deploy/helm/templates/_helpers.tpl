{{- define "apiserver-updater.image" -}}
{{- $image := .Values.image -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}{{ with $image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "apiserver-updater.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "apiserver-updater.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- /*
What the schema cannot say, or not in words, all faults at once. Helm validates the schema before it renders
this. What it says of a wrong type, of a number out of range and of an unknown name is clear: the value's
path, what was found and what is wanted, of all values in one message.
*/ -}}
{{- define "apiserver-updater.check" -}}
{{- $faults := list -}}
{{- if eq .Release.Namespace "default" -}}
  {{- $faults = append $faults "the namespace is default, where the updater's Role for reading the apiservers' addresses is: install into another one, with --namespace kube-system" -}}
{{- end -}}
{{- range $name := list "interval" "timeout" -}}
  {{- $time := index $.Values.healthCheck $name -}}
  {{- if not (regexMatch "^([0-9]{1,9}([.][0-9]{1,9})?(ms|s|m|h))+$" $time) -}}
    {{- $faults = append $faults (printf "healthCheck.%s is %q, expected a duration such as 300ms or 1.5s" $name $time) -}}
  {{- end -}}
{{- end -}}
{{- with .Values.image.digest -}}
  {{- if not (regexMatch "^sha256:[0-9a-f]{64}$" .) -}}
    {{- $faults = append $faults (printf "image.digest is %q, expected sha256: and 64 hexadecimal digits" .) -}}
  {{- end -}}
{{- end -}}
{{- range $index, $network := .Values.service.loadBalancerSourceRanges -}}
  {{- if not (or (regexMatch (printf "^(%[1]s[.]){3}%[1]s/([12]?[0-9]|3[0-2])$" "(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])") $network) (regexMatch "^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*/([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8])$" $network)) -}}
    {{- $faults = append $faults (printf "service.loadBalancerSourceRanges[%d] is %q, expected a network such as 203.0.113.0/24" $index $network) -}}
  {{- end -}}
{{- end -}}
{{- if ne .Values.service.type "LoadBalancer" -}}
  {{- range $name := list "loadBalancerClass" "loadBalancerSourceRanges" -}}
    {{- if index $.Values.service $name -}}
      {{- $faults = append $faults (printf "service.%s is for service.type LoadBalancer, not %s" $name $.Values.service.type) -}}
    {{- end -}}
  {{- end -}}
  {{- if not (dig "allocateLoadBalancerNodePorts" true .Values.service) -}}
    {{- $faults = append $faults (printf "service.allocateLoadBalancerNodePorts is for service.type LoadBalancer, not %s" .Values.service.type) -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.hostNetwork .Values.networkPolicy.enabled -}}
  {{- $faults = append $faults "a NetworkPolicy does not protect pods with hostNetwork: set either hostNetwork or networkPolicy.enabled" -}}
{{- end -}}
{{- /* Helm's --force deletes a Service that it cannot change, and nodes use it. Found in a cluster only. */ -}}
{{- with lookup "v1" "Service" .Release.Namespace "apiserver" -}}
  {{- if ne .spec.clusterIP $.Values.clusterIP -}}
    {{- $faults = append $faults (printf "clusterIP is %s, but the Service %s/apiserver has %s, which nodes may use and Kubernetes cannot change: set clusterIP=%[3]s" $.Values.clusterIP $.Release.Namespace .spec.clusterIP) -}}
  {{- end -}}
{{- end -}}
{{- with $faults -}}
  {{- fail (join "\n" (prepend . "these values do not fit:")) -}}
{{- end -}}
{{- end }}
