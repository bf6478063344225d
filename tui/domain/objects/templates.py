"""The templates of new objects: the smallest that are good practice, with what one fills in as `${name}`."""

from __future__ import annotations

_NAMESPACED = """\
metadata:
  name: ${name}
  namespace: ${namespace}
"""
_LABELLED = (
    _NAMESPACED
    + """\
  labels:
    app.kubernetes.io/name: ${name}
"""
)

TEMPLATES: dict[str, str] = {
    "Deployment": "apiVersion: apps/v1\nkind: Deployment\n"
    + _LABELLED
    + """\
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: ${name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: ${name}
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: ${name}
          image: registry.example.com/${name}:1.0.0
          ports:
            - name: http
              containerPort: 8080
          readinessProbe:
            httpGet:
              path: /
              port: http
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              memory: 128Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
""",
    "Service": "apiVersion: v1\nkind: Service\n"
    + _LABELLED
    + """\
spec:
  selector:
    app.kubernetes.io/name: ${name}
  ports:
    - name: http
      port: 80
      targetPort: http
""",
    "ConfigMap": "apiVersion: v1\nkind: ConfigMap\n"
    + _LABELLED
    + """\
data:
  key: value
""",
    "NetworkPolicy": "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
    + _NAMESPACED
    + """\
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: ${name}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - podSelector: {}
      ports:
        - port: 8080
  egress:
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
          podSelector:
            matchLabels:
              k8s-app: kube-dns
      ports:
        - port: 53
          protocol: UDP
        - port: 53
          protocol: TCP
""",
    "CiliumNetworkPolicy": "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n"
    + _NAMESPACED
    + """\
spec:
  endpointSelector:
    matchLabels:
      app.kubernetes.io/name: ${name}
  ingress:
    - fromEndpoints:
        - {}
      toPorts:
        - ports:
            - port: "8080"
              protocol: TCP
  egress:
    - toEndpoints:
        - matchLabels:
            k8s:io.kubernetes.pod.namespace: kube-system
            k8s-app: kube-dns
      toPorts:
        - ports:
            - port: "53"
              protocol: ANY
          rules:
            dns:
              - matchPattern: "*"
""",
    "Application": """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: ${name}
  namespace: argocd
spec:
  project: default
  source:
    repoURL: https://git.example.com/team/deploy.git
    targetRevision: main
    path: apps/${name}
  destination:
    server: https://kubernetes.default.svc
    namespace: ${namespace}
  syncPolicy:
    automated:
      prune: true
      selfHeal: true
    syncOptions:
      - CreateNamespace=true
""",
    "ApplicationSet": """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: ${name}
  namespace: argocd
spec:
  goTemplate: true
  goTemplateOptions: ["missingkey=error"]
  generators:
    - clusters: {}
  template:
    metadata:
      name: "${name}-{{.nameNormalized}}"
    spec:
      project: default
      source:
        repoURL: https://git.example.com/team/deploy.git
        targetRevision: main
        path: apps/${name}
      destination:
        name: "{{.name}}"
        namespace: ${namespace}
""",
    "Kustomization": """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: []
""",
    "Namespace": """\
apiVersion: v1
kind: Namespace
metadata:
  name: ${name}
  labels:
    pod-security.kubernetes.io/enforce: baseline
""",
    "HorizontalPodAutoscaler": "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n"
    + _NAMESPACED
    + """\
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: ${name}
  minReplicas: 2
  maxReplicas: 10
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: 80
""",
    "PodDisruptionBudget": "apiVersion: policy/v1\nkind: PodDisruptionBudget\n"
    + _NAMESPACED
    + """\
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: ${name}
""",
}
"""By kind, in the order in which they are offered."""
