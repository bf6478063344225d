"""The baseline of every cluster: namespaces, default policies, the metrics agent."""

from __future__ import annotations

from string import Template

from tui.demo.content.cilium import version_of
from tui.demo.content.clusters import ClusterSpec
from tui.demo.content.policies import policy_files
from tui.demo.content.shop import REGISTRY

NAMESPACE = Template("""\
apiVersion: v1
kind: Namespace
metadata:
  name: $name
  labels:
    harbour.example/env: $env
    pod-security.kubernetes.io/enforce: $level
  annotations:
    argocd.argoproj.io/sync-wave: "-1"  # before anything that lives in it
""")

DENY = Template("""\
# Nothing in or out of $name unless another policy of the namespace says so.
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: default-deny
  namespace: $name
spec:
  description: default deny
  endpointSelector: {}
  ingress:
    - {}
  egress:
    - {}
""")

PROXY_NOTE = "# Names are resolved through Cilium's DNS proxy, so that toFQDNs rules can learn addresses.\n"
PLAIN_NOTE = "# Without the DNS proxy: before Cilium 1.18 its rules need default deny. (PLAT-402)\n"

DNS = Template(f"""\
{PROXY_NOTE}# Namespaces of the platform are left out: they must work when the proxy does not.
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata:
  name: allow-dns
  labels:
    harbour.example/env: $env
spec:
  description: DNS for every pod outside the platform's namespaces
  endpointSelector:
    matchExpressions:
      - key: k8s:io.kubernetes.pod.namespace
        operator: NotIn
        values: [kube-system, monitoring]
  enableDefaultDeny:
    egress: false
    ingress: false
  egress:
    - toEndpoints:
        - matchLabels:
            k8s:io.kubernetes.pod.namespace: kube-system
            k8s:k8s-app: kube-dns
      toPorts:
        - ports:
            - port: "53"
              protocol: ANY
          rules:
            dns:
              - matchPattern: "*"
""")

SCRAPE = Template("""\
# The metrics agent may scrape every pod that names a port `metrics` or serves on 9090-9099.
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata:
  name: allow-scrape
  labels:
    harbour.example/env: $env
spec:
  endpointSelector: {}
  enableDefaultDeny:
    ingress: false
  ingress:
    - fromEndpoints:
        - matchLabels:
            k8s:io.kubernetes.pod.namespace: monitoring
            app.kubernetes.io/name: metrics-agent
      toPorts:
        - ports:
            - port: "9090"
              endPort: 9099
              protocol: TCP
""")

METADATA = """\
# The cloud's metadata service hands out credentials; no pod of ours needs it.
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata:
  name: deny-cloud-metadata
spec:
  endpointSelector: {}
  enableDefaultDeny:
    egress: false
  egressDeny:
    - toCIDR:
        - 169.254.169.254/32
"""

PARTNER = """\
# Partner warehouse pushes its stock feed from two fixed addresses. (GOODS-1203)
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: partner-feed
  namespace: shop
spec:
  endpointSelector:
    matchLabels:
      app.kubernetes.io/name: catalog
  ingress:
    - fromEndpoints:
        - matchLabels:
            app.kubernetes.io/name: storefront
      fromCIDR:
        - 198.51.100.16/32
        - 198.51.100.17/32
      toPorts:
        - ports:
            - port: "8081"
              protocol: TCP
"""

AGENT = Template("""\
# Metrics and logs of every node. Runs on control plane nodes as well.
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: metrics-agent
  namespace: monitoring
  labels:
    app.kubernetes.io/name: metrics-agent
spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: metrics-agent
  updateStrategy:
    type: RollingUpdate
  template:
    metadata:
      labels:
        app.kubernetes.io/name: metrics-agent
    spec:
      tolerations:
        - operator: Exists
      containers:
        - name: agent
          image: $registry/platform/metrics-agent:$tag
          ports:
            - name: metrics
              containerPort: 9090
          resources:
            requests:
              cpu: 20m
              memory: 64Mi
            limits:
              memory: 128Mi
""")

AGENT_POLICY = """\
# Plain Kubernetes policy on purpose: monitoring must outlive a Cilium upgrade.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: metrics-agent
  namespace: monitoring
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: metrics-agent
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector: {}
      ports:
        - protocol: TCP
          port: 9090
"""

NAMESPACES = {
    "prod": ("shop", "payments", "finance", "data", "ingress", "monitoring"),
    "staging": ("shop", "payments", "data", "ingress", "monitoring"),
    "dev": ("shop", "monitoring"),
    "edge": ("till", "monitoring"),
}

GUARDED = ("shop", "payments", "finance", "till")  # namespaces with a default deny


def baseline_files(spec: ClusterSpec) -> dict[str, str]:
    """Files of one cluster's baseline, by path in the repository."""
    base = f"platform/baseline/{spec.name}"
    names = NAMESPACES[spec.env]
    level = "baseline" if spec.env in ("prod", "staging") else "privileged"
    tree = {
        f"{base}/namespaces.yaml": "---\n".join(
            NAMESPACE.substitute(name=name, env=spec.env, level=level) for name in names
        ),
        f"{base}/policies/allow-dns.yaml": _dns(spec),
        f"{base}/metrics-agent.yaml": AGENT.substitute(
            registry=REGISTRY, tag="0.42.1" if spec.env == "edge" else "0.44.0"
        ),
        f"{base}/policies/metrics-agent.yaml": AGENT_POLICY,
    }
    for name in names:
        if name in GUARDED and (spec.env in ("prod", "edge") or name == "payments"):
            tree[f"{base}/policies/default-deny-{name}.yaml"] = DENY.substitute(name=name)
    if spec.env in ("prod", "staging"):
        scrape = SCRAPE.substitute(env=spec.env)
        if spec.name == "prod-ap-1":  # as it was before exporters were moved to ports of their own
            scrape = scrape.replace("              endPort: 9099\n", "")
        else:
            tree[f"{base}/policies/deny-cloud-metadata.yaml"] = METADATA
        tree[f"{base}/policies/allow-scrape.yaml"] = scrape
    if spec.name == "prod-us-1":
        tree[f"{base}/policies/partner-feed.yaml"] = PARTNER
    return tree | {f"{base}/{path}": text for path, text in policy_files(spec).items()}


def _dns(spec: ClusterSpec) -> str:
    """Through the proxy, except where Cilium is older than 1.18 and refuses rules of layer 7 without default deny."""
    text = DNS.substitute(env=spec.env)
    if version_of(spec) >= (1, 18):
        return text
    rules = text.index("          rules:\n")
    return text[:rules].replace(PROXY_NOTE, PLAIN_NOTE)
