"""Network policies beside those of the services: what one finds in a fleet that several teams write rules for."""

from __future__ import annotations

from tui.demo.content.clusters import ClusterSpec

CIDR_GROUPS = """\
# Addresses outside that rules of several teams name.
apiVersion: cilium.io/v2
kind: CiliumCIDRGroup
metadata:
  name: partners
  labels:
    harbour.example/kind: partner
spec:
  externalCIDRs:
    - 198.51.100.16/32  # warehouse, line 1
    - 198.51.100.17/32  # warehouse, line 2
---
# Reported by the abuse desk; renewed every Monday.
apiVersion: cilium.io/v2
kind: CiliumCIDRGroup
metadata:
  name: scanners
  labels:
    harbour.example/kind: scanner
spec:
  externalCIDRs:
    - 192.0.2.128/26
    - 192.0.2.240/28
"""

DENY_SCANNERS = """\
# Whatever else is allowed: nothing from addresses that scan us.
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata:
  name: deny-scanners
spec:
  description: scanners stay out
  endpointSelector: {}
  enableDefaultDeny:
    ingress: false
  ingressDeny:
    - fromCIDRSet:
        - cidrGroupSelector:
            matchLabels:
              harbour.example/kind: scanner
"""

# The invalid one of prod-us-1 is in baseline.py; here is how it should have been.
PARTNER = """\
# Partner warehouse pushes its stock feed. (GOODS-1203)
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
    - fromCIDRSet:
        - cidrGroupRef: partners
      toPorts:
        - ports:
            - port: "8081"
              protocol: TCP
"""

CART = """\
# The cart became part of checkout in May; who may call it has stayed behind.
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: cart
  namespace: shop
spec:
  endpointSelector:
    matchLabels:
      app.kubernetes.io/name: cart
  ingress:
    - fromEndpoints:
        - matchLabels:
            app.kubernetes.io/name: storefront
      toPorts:
        - ports:
            - port: "8084"
              protocol: TCP
"""

WARM_UP = """\
# The catalog warms the index of the search up after every import.
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: search-warm-up
  namespace: shop
spec:
  endpointSelector:
    matchLabels:
      app.kubernetes.io/name: search
  ingress:
    - fromEndpoints:
        - matchLabels:
            app.kubernetes.io/name: catalogue
      toPorts:
        - ports:
            - port: http
              protocol: TCP
"""

AGENT_EGRESS = """\
# Where the metrics agent goes: the pods and nodes it scrapes, and the store on the hub.
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: metrics-agent-egress
  namespace: monitoring
specs:
  - description: scraping
    endpointSelector:
      matchLabels:
        app.kubernetes.io/name: metrics-agent
    egress:
      - toEntities:
          - cluster
        toPorts:
          - ports:
              - port: "9090"
                endPort: 9199
                protocol: TCP
              - port: "10250"
                protocol: TCP
  - description: remote write
    endpointSelector:
      matchLabels:
        app.kubernetes.io/name: metrics-agent
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
                - matchPattern: "*.harbour.example"
                - matchPattern: "*.svc.cluster.local"
      - toFQDNs:
          - matchPattern: "*.harbour.example"
        toPorts:
          - ports:
              - port: "443"
                protocol: TCP
"""

EGRESS_GATEWAY = """\
# The acquirer knows us by one address. This chooses the way, it allows nothing.
apiVersion: cilium.io/v2
kind: CiliumEgressGatewayPolicy
metadata:
  name: acquirer
spec:
  selectors:
    - podSelector:
        matchLabels:
          io.kubernetes.pod.namespace: payments
          app.kubernetes.io/name: payments
  destinationCIDRs:
    - 198.51.100.64/27
  egressGateway:
    nodeSelector:
      matchLabels:
        topology.kubernetes.io/zone: eu-west-a
    egressIP: 203.0.113.7
"""

ORDERS_GLOBAL = """\
# The orders database stands in prod-eu-1; here is its name, found through the mesh.
apiVersion: v1
kind: Service
metadata:
  name: orders-db
  namespace: data
  annotations:
    service.cilium.io/global: "true"
spec:
  ports:
    - name: postgres
      port: 5432
      targetPort: postgres
  selector:
    app.kubernetes.io/name: orders-db
"""

NODE_GUARD = """\
# Store boxes stand where customers walk: into the node itself from the cluster and the back office only.
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata:
  name: node-guard
spec:
  description: host firewall of the store boxes
  nodeSelector:
    matchLabels:
      kubernetes.io/os: linux
  ingress:
    - fromEntities:
        - cluster
    - fromCIDRSet:
        - cidr: 10.21.7.0/24
      toPorts:
        - ports:
            - port: "22"
              protocol: TCP
            - port: "6443"
              protocol: TCP
    - fromEntities:
        - world
      icmps:
        - fields:
            - type: 8
              family: IPv4
"""

BACKUP = """\
# Backups go to the object store in the other hall, not past it.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: orders-db-backup
  namespace: data
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: orders-db
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock:
            cidr: 172.31.0.0/16
            except:
              - 172.31.255.0/24  # management
      ports:
        - protocol: TCP
          port: 9000
"""

SALES_QUEUE = """\
# The tills fill the queue, the queue empties itself into the head office.
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: sales-queue
  namespace: till
spec:
  endpointSelector:
    matchLabels:
      app.kubernetes.io/name: sales-queue
  ingress:
    - fromEndpoints:
        - matchLabels:
            app.kubernetes.io/name: till
      toPorts:
        - ports:
            - port: queue
              protocol: TCP
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
              - matchName: sales.harbour.example
    - toFQDNs:
        - matchName: sales.harbour.example
      toPorts:
        - ports:
            - port: "443"
              protocol: TCP
"""


def policy_files(spec: ClusterSpec) -> dict[str, str]:
    """Files of one cluster's baseline, by path below its directory."""
    tree: dict[str, str] = {}
    if spec.env == "prod":
        tree |= {"cidr-groups.yaml": CIDR_GROUPS, "policies/deny-scanners.yaml": DENY_SCANNERS}
    if spec.name == "prod-eu-1":
        tree |= {
            "egress-gateway.yaml": EGRESS_GATEWAY,
            "policies/cart.yaml": CART,
            "policies/metrics-agent-egress.yaml": AGENT_EGRESS,
            "policies/partner-feed.yaml": PARTNER,
            "policies/search-warm-up.yaml": WARM_UP,
        }
    elif spec.mesh:
        tree["orders-db.yaml"] = ORDERS_GLOBAL
    if spec.name == "edge-oslo-01":
        tree["policies/node-guard.yaml"] = NODE_GUARD
    return tree
